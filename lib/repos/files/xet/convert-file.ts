import { type Tx, transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { bytesOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { outdateReports } from '../../storage/outdate-reports.ts';
import { currentDomain } from './current-domain.ts';
import { cutFile } from './cut-file.ts';
import { hashTerms } from './hash-terms.ts';
import { type RegisteredFile, registerFiles } from './register-files.ts';
import { recordShardLog, type StoredShardLog, storeShardLog } from './shard-log.ts';

/** A file of a repo that is stored whole and not as chunks. */
export interface WholeFile {
  readonly repoId: RepoId;
  readonly namespaceId: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly objectId: number;
  readonly objectKey: string;
  /** Who brought it to the repo. */
  readonly userId: string;
}

/** Edges that still lead to this object alone, locked until the transaction ends; their owner in `repoId` first. */
async function lockEdges(tx: Tx, file: WholeFile): Promise<{ repoId: RepoId; userId: string }[]> {
  const { rows } = await tx.query<{ repoId: RepoId; userId: string }>(
    `SELECT repo_id AS "repoId", created_by AS "userId" FROM repo_file
     WHERE sha256 = $1 AND object_id = $2 AND xet_file_id IS NULL ORDER BY repo_id FOR UPDATE`,
    [bytesOf(file.sha256), file.objectId],
  );
  return rows.sort((a, b) => Number(b.repoId === file.repoId) - Number(a.repoId === file.repoId));
}

/** The switch: every repo that held the object now holds the chunks. False when none is left that does. */
async function switchOver(
  tx: Tx,
  file: WholeFile,
  domainId: number,
  checked: RegisteredFile,
  log: StoredShardLog,
): Promise<boolean> {
  const edges = await lockEdges(tx, file);
  const [first] = edges;
  if (first === undefined) return false;
  const owner = { domainId, ...first, isGuest: false };
  const [fileId] = await registerFiles(tx, owner, [checked]);
  await recordShardLog(tx, owner, log, [fileId as number]);
  await tx.query(
    `UPDATE repo_file SET xet_file_id = $3, object_id = NULL
     WHERE sha256 = $1 AND object_id = $2 AND (xet_file_id IS NULL OR xet_file_id = $3)`,
    [bytesOf(file.sha256), file.objectId, fileId],
  );
  await outdateReports(
    tx,
    edges.map(({ repoId }) => repoId),
  );
  return true;
}

/**
 * Turns a file that is stored whole into chunks of its owner's domain: cut and stored, read back from the store and its
 * SHA-256 compared, and only then, in one transaction, put in the place of the whole object for every repo that holds
 * it. The object itself stays for garbage collection, which lets links to it run out. After a crash at any line the file
 * is read as before or as after; doing it twice, or at the same time, is doing it once. Returns false when there was
 * nothing to switch any more. Throws when the stored object or what was made of it is not what it should be.
 */
export async function convertFile(app: App, file: WholeFile, signal: AbortSignal): Promise<boolean> {
  const domain = await currentDomain(app, file.namespaceId);
  const source = await app.store.get(file.objectKey, { signal });
  const place = { domainId: domain.id, repoId: file.repoId };
  const checked = await cutFile(app, place, source, signal);
  if (checked.sha256 !== file.sha256 || checked.sizeBytes !== file.sizeBytes)
    throw new Error(`object ${file.objectKey} is not the file ${file.sha256}: it is left as it is`);
  await failpoint('convert.stored');
  const actual = await hashTerms(app, checked, signal);
  if (actual !== file.sha256)
    throw new Error(`the chunks of ${file.sha256} read back as ${actual}: it is left whole`);
  await failpoint('convert.verified');
  const registered: RegisteredFile = { ...checked, state: 'verified' };
  const log = await storeShardLog(app, { ...place, userId: file.userId }, [registered], signal);
  const isDone = await transaction(app.db, async (tx) => {
    const switched = await switchOver(tx, file, domain.id, registered, log);
    await failpoint('convert.before-commit');
    return switched;
  });
  await failpoint('convert.after-commit');
  return isDone;
}
