import { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newObjectKey } from '#lib/storage/keys.ts';
import { createLocalStore } from '#lib/storage/local-store.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';
import { describeObjectStore } from './conformance.ts';
import { describeMultipart } from './multipart-conformance.ts';

let dir: string;
let store: ObjectStore;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-store-'));
  store = await createLocalStore(dir);
});
afterAll(async () => {
  // Every refused, broken and finished write above has tidied up after itself.
  expect(await readdir(join(dir, 'tmp'))).toEqual([]);
  await rm(dir, { recursive: true, force: true });
});

describeObjectStore('local', () => store);
describeMultipart('local', () => store);

describe('local: on its own', () => {
  it('never makes URLs: clients cannot reach a folder', async () => {
    expect(await store.signGet('blob/x', { expiresSeconds: 60 })).toBeNull();
    expect(await store.signPart('blob/x', 'id', 1, 60)).toBeNull();
  });

  it('refuses keys that would leave its folder', async () => {
    for (const key of ['../x', 'a/../../x', '/etc/passwd', 'a//b', '.', 'a/./b', 'a\0b'])
      await expect(store.put(key, Buffer.from('x'), { sizeBytes: 1 })).rejects.toThrow();
    expect((await readdir(dir)).sort()).toEqual(['multipart', 'objects', 'tmp']);
  });

  it('ends in an error when a file lost bytes while it is read', async () => {
    const key = newObjectKey('blob');
    await store.put(key, Buffer.alloc(8 << 20), { sizeBytes: 8 << 20 });
    const stream = await store.get(key);
    await truncate(join(dir, 'objects', key), 3 << 20);
    await expect(buffer(stream)).rejects.toThrow(/ended after/);
  });

  it('sweeps temporary files nobody wrote to for a day when it opens, and leaves younger ones', async () => {
    const other = await mkdtemp(join(tmpdir(), 'larder-store-'));
    await mkdir(join(other, 'tmp'));
    for (const name of ['old', 'young']) await writeFile(join(other, 'tmp', name), 'x');
    const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
    await utimes(join(other, 'tmp', 'old'), twoDaysAgo, twoDaysAgo);
    await createLocalStore(other);
    expect(await readdir(join(other, 'tmp'))).toEqual(['young']);
    await rm(other, { recursive: true });
  });

  it('finds what an earlier process stored', async () => {
    const key = newObjectKey('blob');
    await store.put(key, Buffer.from('kept'), { sizeBytes: 4 });
    const reopened = await createLocalStore(dir);
    expect((await buffer(await reopened.get(key))).toString()).toBe('kept');
  });
});
