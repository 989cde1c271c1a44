import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type HubError, hubError } from '#lib/base/errors.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';
import { BodyReader } from '../body-reader.ts';

/** Refusal of bytes that are not what their oid says. */
export function wrongBytes(expected: Sha256, actual: string): HubError {
  return hubError(
    'invalid_object',
    `the uploaded bytes have SHA-256 ${actual}, not ${expected} as announced: nothing was stored, upload again`,
  );
}

/**
 * Gives the body to `store` as it comes, each chunk of it added to `hash` on its way. Throws LengthMismatch unless it
 * has exactly `sizeBytes`. The body is left open, so that an answer can be sent.
 */
export async function hashedBody<T>(
  body: Readable,
  sizeBytes: number,
  hash: Hash,
  store: (bytes: Readable) => Promise<T>,
): Promise<T> {
  const reader = new BodyReader(body);
  try {
    return await store(reader.take({ sizeBytes, isLast: true, see: (chunk) => void hash.update(chunk) }));
  } finally {
    reader.end();
  }
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

/**
 * Hash and size of an object that has just come together: the hash as taken on its way in (`live`), else read back. What
 * is not as expected then is read once more: a store that misreads once must not cost an upload.
 */
export async function examineUpload(
  store: ObjectStore,
  key: string,
  live: Hash | null,
  expected: { readonly sha256: Sha256 | null; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<{ sha256: string; sizeBytes: number }> {
  if (live !== null)
    return { sha256: live.digest('hex'), sizeBytes: (await store.head(key))?.sizeBytes ?? 0 };
  const first = await hashObject(store, key, signal);
  const isRight =
    first.sizeBytes === expected.sizeBytes && (expected.sha256 ?? first.sha256) === first.sha256;
  return isRight ? first : hashObject(store, key, signal);
}
