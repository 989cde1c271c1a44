import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newObjectKey } from '#lib/storage/keys.ts';
import { createLocalStore } from '#lib/storage/local-store.ts';
import type { ObjectStore, StoredPart } from '#lib/storage/object-store.ts';
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

  const MIB = 2 ** 20;
  const breakOff = (body: PassThrough) => void body.destroy(new Error('the line broke'));

  /** A part of 64 MiB whose body breaks off after 40 MiB, of which 20 at least were told durable. */
  async function growPart() {
    const key = newObjectKey('blob');
    const id = await store.beginMultipart(key);
    const bytes = randomBytes(40 * MIB);
    const body = new PassThrough();
    const told: StoredPart[] = [];
    const enough = Promise.withResolvers<void>();
    const onDurable = async (part: StoredPart) => {
      told.push(part);
      if (part.sizeBytes >= 20 * MIB) enough.resolve();
    };
    const put = store.putPart(key, id, 1, body, { sizeBytes: 64 * MIB, onDurable });
    put.catch(() => {});
    for (let at = 0; at < bytes.length; at += MIB)
      if (!body.write(bytes.subarray(at, at + MIB))) await once(body, 'drain');
    await enough.promise;
    breakOff(body);
    return { key, id, bytes, told, put };
  }

  it('keeps of a part that breaks off what was told durable, and no more, and completes it with any size it was told', async () => {
    const { key, id, bytes, told, put } = await growPart();
    await expect(put).rejects.toThrow('the line broke');
    const [name = ''] = (await readdir(join(dir, 'multipart', id))).filter((file) => file !== 'key');
    const last = told.at(-1) as StoredPart;
    expect((await stat(join(dir, 'multipart', id, name))).size).toBe(last.sizeBytes);
    const first = told[0] as StoredPart;
    const rest = await store.putPart(key, id, 2, Buffer.from('rest'), { sizeBytes: 4 });
    await store.completeMultipart(key, id, [first, rest]);
    const got = await buffer(await store.get(key));
    expect(got.equals(Buffer.concat([bytes.subarray(0, first.sizeBytes), Buffer.from('rest')]))).toBe(true);
    expect((await store.head(key))?.sizeBytes).toBe(first.sizeBytes + 4);
    expect((await stat(join(dir, 'objects', `${key}.parts`, name))).size).toBe(first.sizeBytes);
  });

  it('refuses to complete a part with more bytes than it has', async () => {
    const { key, id, told, put } = await growPart();
    await expect(put).rejects.toThrow();
    const part = told.at(-1) as StoredPart;
    const more = { ...part, sizeBytes: part.sizeBytes + 1 };
    await expect(store.completeMultipart(key, id, [more])).rejects.toMatchObject({ code: 'invalid_input' });
    await store.completeMultipart(key, id, [part]);
  });

  it('keeps nothing of a part that breaks off before anybody was told', async () => {
    const key = newObjectKey('blob');
    const id = await store.beginMultipart(key);
    const body = new PassThrough();
    const put = store.putPart(key, id, 1, body, { sizeBytes: 64 * MIB, onDurable: async () => {} });
    body.write(Buffer.alloc(MIB));
    setTimeout(() => breakOff(body), 100);
    await expect(put).rejects.toThrow('the line broke');
    expect(await readdir(join(dir, 'multipart', id))).toEqual(['key']);
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
