import type { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { givesAway } from '../body-reader.ts';
import { keepHash, liveHash } from '../live-hashes.ts';
import { hashedBody } from './check-bytes.ts';
import { findUpload } from './db.ts';
import type { PartGrant } from './links.ts';

/**
 * Stores one part that came through the hub, because clients cannot reach the store; returns its etag. Repeating a
 * part replaces it. Parts that come one after the other are hashed on their way where completeUpload can rely on that,
 * which saves reading them back. `invalid_input` when the length differs from the plan or the upload has ended.
 */
export async function putPart(ctx: Ctx, grant: PartGrant, body: Readable): Promise<string> {
  const upload = await findUpload(ctx.db, grant.uploadId);
  if (upload?.state !== 'open')
    throw hubError(
      'invalid_input',
      'this upload is complete or was given up: ask the batch API for a new one',
    );
  await failpoint('upload.part');
  const { partNumber, sizeBytes } = grant;
  const from = (partNumber - 1) * upload.partSizeBytes;
  const before = ctx.store.hasUniqueEtags ? liveHash(upload.id, from) : null;
  const store = (bytes: Readable) =>
    ctx.store.putPart(upload.key, upload.storageUploadId, partNumber, bytes, {
      sizeBytes,
      signal: ctx.signal,
      mayFree: givesAway(body),
    });
  if (before === null) return (await store(body)).etag;
  const { etag } = await hashedBody(body, sizeBytes, before.hash, store);
  keepHash(upload.id, from + sizeBytes, { hash: before.hash, etags: [...before.etags, etag] });
  return etag;
}
