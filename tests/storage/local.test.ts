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
    for (const key of ['../x', 'a/../../x', '/etc/passwd', 'a//b', '.', 'a/./b', 'a\0b', 'a/b.parts'])
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

  it('ends in an error when one part of an object lost bytes, before it gives later bytes in their place', async () => {
    const key = newObjectKey('blob');
    const id = await store.beginMultipart(key);
    const parts = [];
    for (const n of [1, 2])
      parts.push(await store.putPart(key, id, n, Buffer.alloc(100, n), { sizeBytes: 100 }));
    await store.completeMultipart(key, id, parts);
    const folder = join(dir, 'objects', `${key}.parts`);
    const name = (await readdir(folder)).find((file) => file.startsWith('00001')) as string;
    await truncate(join(folder, name), 50);
    const got: Buffer[] = [];
    await expect(
      (async () => {
        for await (const chunk of await store.get(key)) got.push(chunk as Buffer);
      })(),
    ).rejects.toThrow(/ended after/);
    expect(Buffer.concat(got).includes(2)).toBe(false);
  });

  it('sweeps temporary files of yesterday and uploads of last week when it opens, and leaves younger ones', async () => {
    const other = await mkdtemp(join(tmpdir(), 'larder-store-'));
    await mkdir(join(other, 'tmp'));
    for (const name of ['old', 'young']) {
      await writeFile(join(other, 'tmp', name), 'x');
      await mkdir(join(other, 'multipart', name), { recursive: true });
    }
    const daysAgo = (days: number) => Date.now() / 1000 - days * 86_400;
    await utimes(join(other, 'tmp', 'old'), daysAgo(2), daysAgo(2));
    await utimes(join(other, 'multipart', 'old'), daysAgo(9), daysAgo(9));
    await createLocalStore(other);
    expect(await readdir(join(other, 'tmp'))).toEqual(['young']);
    expect(await readdir(join(other, 'multipart'))).toEqual(['young']);
    await rm(other, { recursive: true });
  });

  it('finds what an earlier process stored', async () => {
    const key = newObjectKey('blob');
    await store.put(key, Buffer.from('kept'), { sizeBytes: 4 });
    const reopened = await createLocalStore(dir);
    expect((await buffer(await reopened.get(key))).toString()).toBe('kept');
  });
});
