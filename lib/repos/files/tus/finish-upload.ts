import { hubError, isHubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import type { RepoRef } from '../../types.ts';
import { discardObjects } from '../discard-objects.ts';
import { examineUpload, wrongBytes } from '../lfs/check-bytes.ts';
import { linkObject } from '../lfs/link-object.ts';
import { forgetHash, liveHash } from '../live-hashes.ts';
import { requireUpload } from '../require-upload.ts';
import { closeTusUpload, findTusUpload, type TusUpload } from './db.ts';
import { type Hold, holdUpload, noSuchUpload } from './hold-upload.ts';
import { durableParts, recordPiece } from './lease-db.ts';
import { removeRemains } from './remove-remains.ts';

/** Below what proxies give an answer; a longer check goes on, and the client asks again. */
const ANSWER_WITHIN_MS = 25_000;
const STILL_ALIVE_MS = 2_000;

const running = new Map<string, Promise<Sha256>>();

/**
 * Ends an upload whose bytes are all durable: the store joins the parts, the hash is compared with the claim, the file
 * is linked to the repo in one transaction. Returns its SHA-256. Goes on when the client leaves; asked again, also
 * after a crash at any line, it gives the same answer. `locked` when it takes longer than an answer may: ask again.
 * The caller owns the upload. Throws forbidden, and invalid_object when the bytes are not what was claimed; nothing is kept then.
 */
export async function finishUpload(
  ctx: Ctx,
  ref: RepoRef,
  { id, createPr, revision }: TusUpload,
): Promise<Sha256> {
  await requireUpload(ctx, ref, { createPr, revision });
  let work = running.get(id);
  if (work === undefined) {
    const detached = { ...ctx, signal: new AbortController().signal };
    work = finish(detached, id).finally(() => running.delete(id));
    running.set(id, work);
    work.catch((error) => ctx.log.info({ err: error, upload: id }, 'an upload could not be finished'));
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(hubError('locked', STILL_CHECKING)), ANSWER_WITHIN_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const STILL_CHECKING = 'all bytes are here and are being checked: ask again in a moment';

async function finish(ctx: Ctx, id: string): Promise<Sha256> {
  return holdUpload(ctx, id, async (hold) => {
    if (hold === null) return shaOfDone(ctx, id);
    const alive = setInterval(hold.progress, STILL_ALIVE_MS);
    try {
      return await complete({ ...ctx, signal: hold.signal }, hold);
    } finally {
      clearInterval(alive);
    }
  });
}

async function shaOfDone(ctx: Ctx, id: string): Promise<Sha256> {
  const upload = await findTusUpload(ctx.db, id);
  if (upload?.sha256 == null) throw noSuchUpload();
  return upload.sha256;
}

async function complete(ctx: Ctx, { upload }: Hold): Promise<Sha256> {
  const { id, sizeBytes } = upload;
  if (upload.receivedBytes !== sizeBytes)
    throw hubError('offset_conflict', `${upload.receivedBytes} of ${sizeBytes} bytes are here`);
  const key = await joinParts(ctx, upload);
  await failpoint('upload.before-verify');
  const sha256 = await checkedHash(ctx, upload, key);
  const { repoId, userId, isGuest, fence } = upload;
  const grant = { repoId, userId, sha256, sizeBytes, ...(isGuest && { isGuest }) } as const;
  try {
    await linkObject(ctx, grant, key, async (tx) => {
      const isOurs = await closeTusUpload(tx, id, { state: 'done', sha256, fence });
      if (!isOurs) throw new Error('another request took over this upload');
      return true;
    });
  } catch (error) {
    // A refusal for good (the repo is gone, no room): the bytes are deleted already.
    if (isHubError(error)) await closeTusUpload(ctx.db, id, { state: 'aborted' });
    throw error;
  }
  forgetHash(id);
  return sha256;
}

/** The key of the object that holds all bytes, made of the parts when it is not there yet. */
async function joinParts(ctx: Ctx, upload: TusUpload): Promise<string> {
  if (upload.key !== null && upload.storageUploadId !== null) {
    const parts = await durableParts(ctx.db, upload.id);
    await ctx.store.completeMultipart(upload.key, upload.storageUploadId, parts).catch(async (error) => {
      if (isHubError(error) && error.code === 'invalid_input') throw await partsLost(ctx, upload, error);
      throw error;
    });
    return upload.key;
  }
  if (upload.key !== null) return upload.key;
  const key = newObjectKey('blob'); // an empty file: there was no byte to store
  await ctx.store.put(key, Buffer.alloc(0), { sizeBytes: 0 });
  const { expiresAt } = upload;
  await recordPiece(ctx.db, upload, { kind: 'whole', key, receivedBytes: 0, expiresAt });
  return key;
}

/** The store has other parts than the row says: of a writer that was taken over, or lost. It will not get better. */
async function partsLost(ctx: Ctx, upload: TusUpload, cause: Error): Promise<Error> {
  if (await closeTusUpload(ctx.db, upload.id, { state: 'aborted' })) await removeRemains(ctx, upload);
  return hubError('invalid_object', 'parts of this upload were lost or replaced: upload the file again', {
    cause,
  });
}

/**
 * SHA-256 of what the store has under `key`: as hashed on the way in, or read back, also where a writer that was taken
 * over may have replaced a part by another of the same etag. Wrong bytes are deleted.
 */
async function checkedHash(ctx: Ctx, upload: TusUpload, key: string): Promise<Sha256> {
  const isSure = ctx.store.hasUniqueEtags || !upload.wasTakenOver;
  const live = isSure ? liveHash(upload.id, upload.sizeBytes) : null;
  const expected = { sha256: upload.claimedSha256, sizeBytes: upload.sizeBytes };
  const actual = await examineUpload(ctx.store, key, live?.hash ?? null, expected, ctx.signal);
  const isWhole = actual.sizeBytes === upload.sizeBytes;
  if (isWhole && (upload.claimedSha256 === null || upload.claimedSha256 === actual.sha256))
    return actual.sha256 as Sha256;
  forgetHash(upload.id);
  if (await closeTusUpload(ctx.db, upload.id, { state: 'aborted' })) await discardObjects(ctx, [key]);
  throw isWhole && upload.claimedSha256
    ? wrongBytes(upload.claimedSha256, actual.sha256)
    : hubError(
        'invalid_object',
        `the store holds ${actual.sizeBytes} of ${upload.sizeBytes} bytes: upload again`,
      );
}
