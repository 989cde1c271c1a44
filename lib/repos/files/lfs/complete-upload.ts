import type { Hash } from 'node:crypto';
import { hubError } from '#lib/base/errors.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { UploadedPart } from '#lib/storage/object-store.ts';
import { discardObjects } from '../discard-objects.ts';
import { findFiles } from '../find-files.ts';
import { forgetHash, liveHash } from '../live-hashes.ts';
import { examineUpload, wrongBytes } from './check-bytes.ts';
import { closeUpload, findUpload, type UploadRow } from './db.ts';
import { linkObject } from './link-object.ts';
import type { UploadGrant } from './links.ts';

/**
 * Ends a multipart upload: the store joins the parts, after which their URLs are dead and the object is frozen; then
 * its hash is compared, for which every byte is read back unless the hub itself passed these very parts on, one after
 * the other, to a store of its own; only then the file is linked, in one transaction. Calling it again, also
 * after a lost answer or a crash at any line, gives the same success. Wrong bytes are deleted: invalid_object.
 */
export async function completeUpload(
  ctx: Ctx,
  grant: UploadGrant,
  claim: { sha256: Sha256; parts: readonly UploadedPart[] },
): Promise<void> {
  if (claim.sha256 !== grant.sha256)
    throw hubError('invalid_input', `this link completes the upload of ${grant.sha256}, not of another oid`);
  const upload = await findUpload(ctx.db, grant.uploadId);
  if (upload === null || upload.state === 'aborted') throw uploadEnded();
  if (upload.state === 'done') return assertStillThere(ctx, upload);
  requireAllParts(upload, claim.parts);
  await ctx.store.completeMultipart(upload.key, upload.storageUploadId, claim.parts);
  const actual = await examineUpload(
    ctx.store,
    upload.key,
    hashOf(ctx, upload, claim.parts),
    upload,
    ctx.signal,
  );
  forgetHash(upload.id);
  if (actual.sha256 !== upload.sha256 || actual.sizeBytes !== upload.sizeBytes) {
    if (await closeUpload(ctx.db, upload.id, 'aborted')) await discardObjects(ctx, [upload.key]);
    throw actual.sha256 === upload.sha256
      ? hubError(
          'invalid_object',
          `the upload has ${actual.sizeBytes} bytes, not ${upload.sizeBytes} as announced`,
        )
      : wrongBytes(upload.sha256, actual.sha256);
  }
  await linkObject(ctx, grant, upload.key, async (tx) => {
    const locked = await findUpload(tx, upload.id, true);
    if (locked === null || locked.state === 'aborted') throw uploadEnded();
    return locked.state === 'open' && closeUpload(tx, upload.id, 'done');
  });
}

/** The hash of all parts, if they came one after the other and are the very ones that the client names. */
function hashOf(ctx: Ctx, { id, sizeBytes }: UploadRow, parts: readonly UploadedPart[]): Hash | null {
  const live = ctx.store.hasUniqueEtags ? liveHash(id, sizeBytes) : null;
  const inOrder = [...parts].sort((a, b) => a.partNumber - b.partNumber);
  return live !== null && inOrder.every(({ etag }, i) => etag === live.etags[i]) ? live.hash : null;
}

function requireAllParts(upload: UploadRow, parts: readonly UploadedPart[]): void {
  const count = Math.ceil(upload.sizeBytes / upload.partSizeBytes);
  const given = new Set(parts.map((part) => part.partNumber));
  for (let n = 1; n <= count; n++)
    if (!given.has(n)) throw hubError('invalid_input', `part ${n} of ${count} is not in the list of parts`);
  if (parts.length !== count)
    throw hubError('invalid_input', `the list names ${parts.length} parts, the upload has ${count}`);
}

async function assertStillThere(ctx: Ctx, upload: UploadRow): Promise<void> {
  const files = await findFiles(ctx.db, upload.repoId, [upload.sha256]);
  if (!files.has(upload.sha256)) throw uploadEnded();
}

function uploadEnded() {
  return hubError(
    'invalid_input',
    'this upload was given up or has expired: ask the batch API for a new one',
  );
}
