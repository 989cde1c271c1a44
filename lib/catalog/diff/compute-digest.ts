import { isHubError } from '#lib/base/errors.ts';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { openFile } from '#lib/repos/files/open-file.ts';
import type { RepoFile } from '#lib/repos/types.ts';
import { readRange } from '../read-range.ts';
import { hasDigest, insertDigest, type TensorDigest } from './db.ts';
import { hashTensors } from './hash-tensors.ts';
import { readLayout } from './read-layout.ts';

/** The digest of a file and the hash of the bytes that it was made from. */
async function digestOf(
  app: App,
  file: RepoFile,
  signal?: AbortSignal,
): Promise<{ digest: TensorDigest; sha256: string }> {
  const stream = async () => (await openFile(app, file, undefined, signal)) as AsyncIterable<Buffer>;
  try {
    const { format, tensors } = await readLayout(readRange(app, file, signal), file.sizeBytes);
    const hashed = await hashTensors(await stream(), tensors);
    return { digest: { state: 'ready', format, tensors: hashed.tensors }, sha256: hashed.sha256 };
  } catch (error) {
    if (!isHubError(error) || error.code !== 'invalid_object') throw error;
    const { sha256 } = await hashTensors(await stream(), []);
    return { digest: { state: 'invalid', reason: error.message }, sha256 };
  }
}

/** Files that this process is at: the same wish that comes meanwhile is done with when this one is. */
const atWork = new Set<Sha256>();

/**
 * Handler of tensorDigestWanted: streams the file once and writes down its tensors with their hashes, or why it has
 * none. Only bytes that have the SHA-256 are believed: a file that was uploaded under another's hash leaves nothing.
 * Running it again changes nothing; a file that this repo no longer holds is done. Throws, to be retried, when the
 * store could not be read.
 */
export async function computeDigest(
  app: App,
  job: { repoId: number; sha256: string },
  signal?: AbortSignal,
): Promise<void> {
  const sha256 = job.sha256 as Sha256;
  if (await hasDigest(app.db, sha256)) return;
  const file = (await findFiles(app.db, job.repoId as RepoId, [sha256])).get(sha256);
  if (file === undefined || atWork.has(sha256)) return;
  atWork.add(sha256);
  const made = await digestOf(app, file, signal).finally(() => atWork.delete(sha256));
  if (made.sha256 !== sha256) {
    app.log.warn(
      { repo: job.repoId, claimed: sha256, actual: made.sha256 },
      'weights are not what they claim',
    );
    return;
  }
  await insertDigest(app.db, sha256, made.digest);
}
