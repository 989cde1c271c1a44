import type { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { findUpload } from './db.ts';
import type { PartGrant } from './links.ts';

/**
 * Stores one part that came through the hub, because clients cannot reach the store; returns its etag. Repeating a
 * part replaces it. `invalid_input` when the length differs from the plan or the upload has ended.
 */
export async function putPart(ctx: Ctx, grant: PartGrant, body: Readable): Promise<string> {
  const upload = await findUpload(ctx.db, grant.uploadId);
  if (upload?.state !== 'open')
    throw hubError(
      'invalid_input',
      'this upload is complete or was given up: ask the batch API for a new one',
    );
  await failpoint('upload.part');
  const { etag } = await ctx.store.putPart(upload.key, upload.storageUploadId, grant.partNumber, body, {
    sizeBytes: grant.sizeBytes,
    signal: ctx.signal,
  });
  return etag;
}
