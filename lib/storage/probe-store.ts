import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { newObjectKey } from './keys.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Writes, reads, ranges, lists and deletes one small object. Throws an Error that names the first step that
 * failed; leaves nothing behind unless deleting is what failed.
 */
export async function probeStore(store: Omit<ObjectStore, 'probe'>): Promise<void> {
  const key = newObjectKey('staging');
  const bytes = randomBytes(1000);
  const step = async (name: string, work: () => Promise<boolean>) => {
    const done = await work().catch((cause: Error) => {
      throw new Error(`object store (${store.kind}): ${name} failed: ${cause.message}`, { cause });
    });
    if (!done) throw new Error(`object store (${store.kind}): ${name} gave a wrong answer`);
  };
  await step('write', async () => {
    await store.put(key, bytes, { sizeBytes: bytes.length });
    return true;
  });
  try {
    await step('size', async () => (await store.head(key))?.sizeBytes === bytes.length);
    await step('read', async () => bytes.equals(await buffer(await store.get(key))));
    await step('range read', async () =>
      bytes.subarray(10, 20).equals(await buffer(await store.get(key, { range: { start: 10, end: 19 } }))),
    );
    await step('list', async () => {
      for await (const found of store.list(key)) if (found.key === key) return true;
      return false;
    });
  } finally {
    await store.delete([key]);
  }
  await step('delete', async () => (await store.head(key)) === null);
}
