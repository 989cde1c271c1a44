import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { givesAway } from '../body-reader.ts';
import { discardObjects } from '../discard-objects.ts';
import { hashedBody, wrongBytes } from './check-bytes.ts';
import { linkObject } from './link-object.ts';
import type { FileGrant } from './links.ts';

/**
 * Stores a whole file that arrives in one body: hashed while it streams into the store, compared with its oid, then
 * linked. Throws invalid_object on other bytes and invalid_input on another length, and keeps nothing then. A
 * repeated call succeeds again. Dying before the link leaves an object that no row refers to.
 */
export async function putBasic(ctx: Ctx, grant: FileGrant, body: Readable): Promise<void> {
  const key = newObjectKey('blob');
  const hash = createHash('sha256');
  const { sizeBytes } = grant;
  await failpoint('upload.mid');
  await hashedBody(body, sizeBytes, hash, (bytes) =>
    ctx.store.put(key, bytes, { sizeBytes, signal: ctx.signal, mayFree: givesAway(body) }),
  );
  await failpoint('upload.before-verify');
  const actual = hash.digest('hex');
  if (actual !== grant.sha256) {
    await discardObjects(ctx, [key]);
    throw wrongBytes(grant.sha256, actual);
  }
  await linkObject(ctx, grant, key);
}
