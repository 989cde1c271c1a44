import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { newObjectKey } from '#lib/storage/keys.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';

/** S3's smallest part but for the last. */
const PART = 5 << 20;

/** What multipart uploads of every object store must do. */
export function describeMultipart(name: string, open: () => ObjectStore): void {
  const first = randomBytes(PART);
  const second = randomBytes(PART);
  const tail = randomBytes(12_345);

  async function begin() {
    const key = newObjectKey('staging');
    const id = await open().beginMultipart(key);
    const put = (n: number, bytes: Buffer) =>
      open().putPart(key, id, n, Readable.from([bytes]), { sizeBytes: bytes.length });
    return {
      key,
      id,
      put,
      complete: (parts: { partNumber: number; etag: string }[]) => open().completeMultipart(key, id, parts),
    };
  }

  describe(`${name}: multipart`, () => {
    it('joins the parts by number, in whatever order they came and are listed', async () => {
      const { key, put, complete } = await begin();
      const c = await put(3, tail);
      const [a, b] = await Promise.all([put(1, first), put(2, second)]);
      expect(await open().head(key)).toBeNull();
      await complete([c, a, b]);
      expect((await buffer(await open().get(key))).equals(Buffer.concat([first, second, tail]))).toBe(true);
    });

    it('lists the uploads that were begun and neither completed nor given up', async () => {
      const [open1, given, done] = [await begin(), await begin(), await begin()];
      await done.complete([await done.put(1, tail)]);
      await open().abortMultipart(given.key, given.id);
      const found = [];
      for await (const one of open().listMultipart()) found.push(one);
      expect(found).toContainEqual({
        key: open1.key,
        uploadId: open1.id,
        lastModifiedMs: expect.any(Number),
      });
      const ids = found.map((one) => one.uploadId);
      expect(ids).not.toContain(given.id);
      expect(ids).not.toContain(done.id);
      for (const one of found) expect(Math.abs(one.lastModifiedMs - Date.now())).toBeLessThan(600_000);
      await open().abortMultipart(open1.key, open1.id);
    });

    it('makes an object like any other: ranges over the seams, size, listing, deletion', async () => {
      const { key, put, complete } = await begin();
      const whole = Buffer.concat([first, second, tail]);
      await complete([await put(1, first), await put(2, second), await put(3, tail)]);
      const ranges = [
        [0, 0],
        [PART - 3, PART + 3],
        [PART, 2 * PART - 1],
        [PART - 1, 2 * PART],
        [whole.length - 5, whole.length - 1],
      ] as const;
      for (const [start, end] of ranges) {
        const got = await buffer(await open().get(key, { range: { start, end } }));
        expect(got.equals(whole.subarray(start, end + 1))).toBe(true);
        const filled = Buffer.alloc(end - start + 1);
        await open().fill(key, start, filled);
        expect(filled.equals(got)).toBe(true);
      }
      await expect(open().fill(key, whole.length - 1, Buffer.alloc(2))).rejects.toThrow();
      const beyond = { start: 0, end: whole.length };
      await expect(open().get(key, { range: beyond })).rejects.toMatchObject({
        code: 'range_not_satisfiable',
      });
      expect(await open().head(key)).toMatchObject({ key, sizeBytes: whole.length });
      for (const prefix of [key, key.slice(0, -3)]) {
        const listed = [];
        for await (const info of open().list(prefix)) listed.push(info);
        expect(listed).toMatchObject([{ key, sizeBytes: whole.length }]);
      }
      await open().delete([key]);
      expect(await open().head(key)).toBeNull();
    });

    it('replaces a part that is put again', async () => {
      const { key, put, complete } = await begin();
      await put(1, first);
      const again = await put(1, tail);
      await complete([again]);
      expect((await buffer(await open().get(key))).equals(tail)).toBe(true);
    });

    it('refuses to complete when a part is missing, and the upload can still be finished', async () => {
      const { key, put, complete } = await begin();
      const a = await put(1, first);
      await expect(complete([a, { partNumber: 2, etag: a.etag }])).rejects.toMatchObject({
        code: 'invalid_input',
      });
      expect(await open().head(key)).toBeNull();
      await complete([a, await put(2, tail)]);
      expect((await open().head(key))?.sizeBytes).toBe(PART + tail.length);
    });

    it("refuses an etag that is not the part's", async () => {
      const { key, put, complete } = await begin();
      await put(1, tail);
      for (const etag of [`"${'0'.repeat(32)}"`, '"x"', '', '../../key'])
        await expect(complete([{ partNumber: 1, etag }])).rejects.toMatchObject({ code: 'invalid_input' });
      expect(await open().head(key)).toBeNull();
    });

    it('refuses no parts, repeated parts and part numbers out of bounds', async () => {
      const { put, complete } = await begin();
      const a = await put(1, tail);
      for (const parts of [
        [],
        [a, a],
        [{ ...a, partNumber: 0 }],
        [{ ...a, partNumber: 10_001 }],
        [{ ...a, partNumber: 1.5 }],
      ])
        await expect(complete(parts)).rejects.toMatchObject({ code: 'invalid_input' });
      await expect(put(0, tail)).rejects.toMatchObject({ code: 'invalid_input' });
      await expect(put(10_001, tail)).rejects.toMatchObject({ code: 'invalid_input' });
    });

    it('succeeds again when it is completed again', async () => {
      const { key, put, complete } = await begin();
      const parts = [await put(1, tail)];
      await complete(parts);
      await complete(parts);
      expect((await buffer(await open().get(key))).equals(tail)).toBe(true);
    });

    it('succeeds for all when it is completed many times at once', async () => {
      const { key, put, complete } = await begin();
      const parts = [await put(1, first), await put(2, tail)];
      await Promise.all([1, 2, 3, 4].map(() => complete(parts)));
      expect((await open().head(key))?.sizeBytes).toBe(PART + tail.length);
    });

    it('takes no part after it is complete: what was checked stays as it is', async () => {
      const { key, put, complete } = await begin();
      await complete([await put(1, tail)]);
      await expect(put(1, first)).rejects.toMatchObject({ code: 'invalid_input' });
      expect((await buffer(await open().get(key))).equals(tail)).toBe(true);
    });

    it('refuses a part of another length than announced', async () => {
      const { key, id } = await begin();
      for (const sizeBytes of [tail.length + 1, tail.length - 1])
        await expect(open().putPart(key, id, 1, Readable.from([tail]), { sizeBytes })).rejects.toMatchObject({
          code: 'invalid_input',
        });
    });

    it('leaves nothing when it is given up, and giving up twice is no error', async () => {
      const { key, id, put, complete } = await begin();
      const a = await put(1, tail);
      await open().abortMultipart(key, id);
      await open().abortMultipart(key, id);
      await expect(complete([a])).rejects.toMatchObject({ code: 'invalid_input' });
      await expect(put(2, tail)).rejects.toMatchObject({ code: 'invalid_input' });
      expect(await open().head(key)).toBeNull();
    });

    it('does not take parts for the upload of another key', async () => {
      const [one, other] = [await begin(), await begin()];
      await expect(
        open().putPart(other.key, one.id, 1, tail, { sizeBytes: tail.length }),
      ).rejects.toMatchObject({ code: 'invalid_input' });
    });
  });
}
