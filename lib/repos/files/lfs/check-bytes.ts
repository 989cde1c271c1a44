import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type HubError, hubError } from '#lib/base/errors.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';

/** Refusal of bytes that are not what their oid says. */
export function wrongBytes(expected: Sha256, actual: string): HubError {
  return hubError(
    'invalid_object',
    `the uploaded bytes have SHA-256 ${actual}, not ${expected} as announced: nothing was stored, upload again`,
  );
}

/** What may lie between the socket and the store. */
const BETWEEN_BYTES = 1 << 18;

/**
 * The body, each chunk of it fed to `hash` on its way, as fast as a pipe. Ends in an error when the body breaks off.
 * Leaves the body open when it is destroyed early, so that an answer can be sent.
 */
export function hashing(body: Readable, hash: Hash): Readable {
  const out = new Readable({
    highWaterMark: BETWEEN_BYTES,
    read: () => void body.resume(),
    destroy(error, done) {
      body.off('data', onData).pause();
      done(error);
    },
  });
  const onData = (chunk: Buffer) => {
    hash.update(chunk);
    if (!out.push(chunk)) body.pause();
  };
  body.on('data', onData).pause();
  body.once('end', () => out.push(null));
  body.on('error', (error) => out.destroy(error)); // heard to its end: a connection may still break
  body.once('close', () => {
    if (!body.readableEnded) out.destroy(hubError('invalid_input', 'the client closed the connection'));
  });
  return out;
}

/** Reads a stored object and returns the SHA-256 and the number of its bytes. */
export async function hashObject(
  store: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of await store.pieces(key, { signal })) {
    hash.update(piece);
    sizeBytes += piece.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
