import { createHash, type Hash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
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

/** Feeds every chunk to `hash` on its way. Leaves the source open when it stops early, so that an answer can be sent. */
export async function* hashing(
  source: AsyncIterable<Buffer> & { iterator?(options: { destroyOnReturn: boolean }): AsyncIterator<Buffer> },
  hash: Hash,
): AsyncGenerator<Buffer> {
  const chunks = source.iterator?.({ destroyOnReturn: false }) ?? source[Symbol.asyncIterator]();
  for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Streams a stored object and returns the SHA-256 and the number of its bytes. */
export async function hashObject(
  store: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  await pipeline(
    await store.get(key, { signal }),
    async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        hash.update(chunk);
        sizeBytes += chunk.length;
      }
    },
    { signal },
  );
  return { sha256: hash.digest('hex'), sizeBytes };
}
