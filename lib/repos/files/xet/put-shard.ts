import { transaction } from '#lib/base/db.ts';
import { hubError, isHubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { App } from '#lib/identity/context.ts';
import { linkWithinQuota } from '../../storage/require-room.ts';
import { discardObjects } from '../discard-objects.ts';
import { refuseTooMuch } from '../require-upload.ts';
import { checkShard } from './check-shard.ts';
import { fileKey, fileStates } from './db.ts';
import { hashTerms } from './hash-terms.ts';
import { hashText } from './hashes.ts';
import { XetInvalid } from './invalid.ts';
import { chunksUploaded, xetFileRegistered } from './jobs.ts';
import { type CheckedFile, type RegisteredFile, registerFiles } from './register-files.ts';
import { recordShardLog, storeShardLog } from './shard-log.ts';
import { isWorthSharing, SHARE_AFTER_SECONDS } from './share-chunks.ts';
import { createSlots } from './slots.ts';
import type { XetGrant } from './token.ts';

/** How far a shard has come; bytes count what is hashed inline. */
export type ShardProgress =
  | { readonly stage: 'validating'; readonly verifiedBytes: number; readonly totalBytes: number }
  | { readonly stage: 'committing' };

/** A shard may name the same xorbs over and over: a few kilobytes of it can cost 150 MB and seconds of a core. */
const checks = createSlots({ limit: 4, maxWaiting: 64, maxWaitMs: 60_000, what: 'shards' });
const verifications = createSlots({
  limit: 4,
  maxWaiting: 64,
  maxWaitMs: 15 * 60_000,
  what: 'uploads being verified',
});

/**
 * Registers the files of a shard for the grant's repo: after every hash in it was checked and the SHA-256 of each
 * file recomputed, in one transaction. What exceeds LARDER_INLINE_SHA256_BYTES per shard is registered `unverified`,
 * usable in this repo alone, and verified by a job. A log of what is registered is put into the store first
 * (shard-log.ts). `onProgress` is first called when all checks but the SHA-256 have passed. Repeating a shard is
 * harmless. Errors: invalid_input with the reason, quota_exceeded; then nothing was registered.
 */
export async function putShard(
  app: App,
  grant: XetGrant,
  body: Buffer,
  signal: AbortSignal,
  onProgress: (progress: ShardProgress) => void = () => {},
): Promise<void> {
  const userId = grant.who?.userId;
  if (userId === undefined) throw hubError('forbidden', 'uploading needs a user');
  const check = () => checkShard(app, grant.domainId, body);
  const checked = await checks.use(check, signal).catch((error) => {
    throw error instanceof XetInvalid ? hubError('invalid_input', `shard: ${error.message}`) : error;
  });
  const files = await verifySha256s(app, grant.domainId, checked, signal, onProgress);
  onProgress({ stage: 'committing' });
  const log = files.length === 0 ? null : await storeShardLog(app, { ...grant, userId }, files, signal);
  await failpoint('xet.shard-verified');
  await transaction(app.db, async (tx) => {
    const { domainId, repoId, isGuest = false } = grant;
    const moreBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    if (isGuest) await refuseTooMuch(app.config, tx, { repoId, userId, moreBytes });
    const register = () => registerFiles(tx, { domainId, repoId, userId, isGuest }, files);
    const ids = await linkWithinQuota(tx, app.config, repoId, register);
    if (log !== null) await recordShardLog(tx, grant, log, ids);
    for (const [i, file] of files.entries())
      if (file.state === 'unverified')
        await app.queue.enqueue(tx, xetFileRegistered, { fileId: ids[i] as number });
    const fileIds = ids.filter((_, i) => isWorthSharing((files[i] as RegisteredFile).sizeBytes));
    if (fileIds.length > 0)
      await app.queue.enqueue(tx, chunksUploaded, { fileIds }, { startAfterSeconds: SHARE_AFTER_SECONDS });
  }).catch(async (error) => {
    // Refused before COMMIT: whoever repeats it must not fill the store with logs. Else the outcome is unknown.
    if (log !== null && isHubError(error)) await discardObjects(app, [log.key]);
    throw error;
  });
}

async function verifySha256s(
  app: App,
  domainId: number,
  files: readonly CheckedFile[],
  signal: AbortSignal,
  onProgress: (progress: ShardProgress) => void,
): Promise<RegisteredFile[]> {
  const states = await fileStates(app.db, domainId, files);
  // The same chunks are the same bytes: what was verified once under this id needs no second look.
  const isVerified = (f: CheckedFile) => states.get(fileKey(f.hash, f.sha256)) === 'verified';
  const inline = new Set<CheckedFile>();
  let totalBytes = 0;
  const bad = files.find((f) => states.get(fileKey(f.hash, f.sha256)) === 'bad');
  if (bad !== undefined)
    throw hubError(
      'invalid_input',
      `shard: file ${hashText(bad.hash)} was read back before and its SHA-256 is not ${bad.sha256}`,
    );
  for (const file of files) {
    if (isVerified(file) || totalBytes + file.sizeBytes > app.config.LARDER_INLINE_SHA256_BYTES) continue;
    totalBytes += file.sizeBytes;
    inline.add(file);
  }
  let doneBytes = 0;
  const report = (bytes: number) => onProgress({ stage: 'validating', verifiedBytes: bytes, totalBytes });
  report(0);
  const work = async () => {
    for (const file of inline) {
      await verifySha256(app, file, signal, (bytes) => report(doneBytes + bytes));
      doneBytes += file.sizeBytes;
    }
  };
  if (inline.size > 0) await verifications.use(work, signal);
  return files.map((file) => ({
    ...file,
    state: isVerified(file) || inline.has(file) ? 'verified' : 'unverified',
  }));
}

async function verifySha256(
  app: App,
  file: CheckedFile,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const actual = await hashTerms(app, file, signal, onProgress);
  if (actual !== file.sha256)
    throw hubError(
      'invalid_input',
      `shard: file ${hashText(file.hash)} has the SHA-256 ${actual}, the shard says ${file.sha256}`,
    );
}
