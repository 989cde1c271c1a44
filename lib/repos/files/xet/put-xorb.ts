import { Readable } from 'node:stream';
import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { XetHash } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { givesAway } from '../body-reader.ts';
import { discardObjects } from '../discard-objects.ts';
import { reviveFiles } from '../mark-lost.ts';
import { chunkCount, rawEnd, storedEnd } from './chunk-table.ts';
import { insertXorb, liveXorbs, pinXorbs } from './db.ts';
import { hashBytes } from './hashes.ts';
import { XetInvalid } from './invalid.ts';
import { createSlots } from './slots.ts';
import type { XetGrant } from './token.ts';
import { requireUnnamedRoom } from './unnamed-xorbs.ts';
import { VerifiedXorb } from './verified-xorb.ts';
import { MAX_XORB_BODY_BYTES } from './xorb.ts';

/** Each upload holds 10 MB at most, a third of it in the store's write buffer: 240 MB for all of them. */
const uploads = createSlots({ limit: 24, maxWaiting: 256, maxWaitMs: 60_000, what: 'uploads' });

/**
 * Stores an uploaded xorb after every chunk was decoded and hashed and the whole equals `hash`; false when the
 * domain has it already. Verified while it streams: the last part is held back until all hashes are known, so the
 * store never completes an object with other contents, and a row appears only after the object is durable. A crash
 * leaves at most an object that no row names: garbage, never data.
 * Errors: invalid_input with the reason, too_large, quota_exceeded (see requireUnnamedRoom), overloaded.
 */
export async function putXorb(
  app: App,
  grant: XetGrant,
  upload: { hash: XetHash; body: Readable; sizeBytes: number },
  signal: AbortSignal,
): Promise<{ wasInserted: boolean }> {
  if (upload.sizeBytes > MAX_XORB_BODY_BYTES)
    throw hubError('too_large', `a xorb has at most ${MAX_XORB_BODY_BYTES} bytes`);
  const hash = hashBytes(upload.hash);
  const known = (await liveXorbs(app.db, grant.domainId, [hash]))[0];
  let lostKey: string | null = null;
  if (known !== undefined) {
    const isStored = (await app.store.head(known.objectKey)) !== null;
    // pinned only if it was not condemned in this moment; else it comes to life again with these bytes
    if (isStored && (await pinXorbs(app.db, [known.id])) === 1) {
      await drain(upload.body);
      return { wasInserted: false };
    }
    if (!isStored) {
      lostKey = known.objectKey;
      app.log.error({ xorb: upload.hash, key: lostKey }, 'the store lost a xorb; the client sends it again');
    }
  }
  const store = () =>
    storeXorb(app, grant, { ...upload, hashBytes: hash, lostKey, mayFree: givesAway(upload.body) }, signal);
  await requireUnnamedRoom(app, grant, upload.sizeBytes).catch(async (error) => {
    await drain(upload.body); // a client that still writes would not read the answer
    throw error;
  });
  return uploads.use(store, signal).catch(async (error) => {
    if (!(error instanceof XetInvalid)) throw error;
    // For the same reason. The slot is free by now, for others.
    await drain(upload.body);
    throw hubError('invalid_input', `xorb: ${error.message}`);
  });
}

/**
 * Stores a xorb that may be sent piece by piece, checked as putXorb says; `lostKey` is the object of a row whose bytes
 * the store lost, `mayFree` says that the chunks of the body are nobody's besides. Throws XetInvalid.
 */
export async function storeXorb(
  app: App,
  grant: Pick<XetGrant, 'domainId' | 'repoId'> & Partial<Pick<XetGrant, 'who'>>,
  upload: {
    hashBytes: Buffer;
    body: Readable;
    sizeBytes: number;
    lostKey: string | null;
    mayFree?: boolean;
  },
  signal: AbortSignal,
): Promise<{ wasInserted: boolean }> {
  const objectKey = newObjectKey('xorb');
  const verification = new VerifiedXorb(app, upload.hashBytes);
  const bytes = Readable.from(verification.pass(parts(upload.body)), { objectMode: false });
  try {
    const { sizeBytes, mayFree = false } = upload;
    await app.store.put(objectKey, bytes, { sizeBytes, signal, mayFree });
  } catch (error) {
    throw verification.failure ?? error;
  }
  await failpoint('xet.xorb-stored');
  const table = verification.table;
  const last = chunkCount(table) - 1;
  const xorb = {
    domainId: grant.domainId,
    repoId: grant.repoId,
    hash: upload.hashBytes,
    table,
    chunkCount: last + 1,
    rawBytes: rawEnd(table, last),
    storedBytes: storedEnd(table, last),
    objectKey,
    objectBytes: upload.sizeBytes,
    unnamedBy: grant.who?.userId ?? null,
  };
  const outcome = await transaction(app.db, async (tx) => {
    const recorded = await insertXorb(tx, xorb, upload.lostKey);
    if (recorded === 'revived') await reviveFiles(tx, app.queue, xorb.domainId, xorb.hash);
    return recorded;
  });
  if (outcome === 'surplus') await discardObjects(app, [objectKey]);
  return { wasInserted: outcome !== 'surplus' };
}

/** The body piece by piece; leaving the loop early leaves the body open. */
function parts(body: Readable): AsyncIterable<Buffer> {
  return body.iterator({ destroyOnReturn: false });
}

async function drain(body: Readable): Promise<void> {
  for await (const part of parts(body)) void part;
}
