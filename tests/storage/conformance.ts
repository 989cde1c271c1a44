import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { newObjectKey } from '#lib/storage/keys.ts';
import { type ObjectInfo, ObjectMissing, type ObjectStore } from '#lib/storage/object-store.ts';

const MIB = 1 << 20;

async function bytesOf(store: ObjectStore, key: string): Promise<Buffer> {
  return buffer(await store.get(key));
}

async function keysUnder(store: ObjectStore, prefix: string): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of store.list(prefix)) found.push(info);
  return found;
}

/** A body that comes in small pieces and can stop, break or run on. */
function trickle(pieces: number, pieceBytes: number, end: 'end' | 'break' = 'end'): Readable {
  return Readable.from(
    (async function* () {
      for (let i = 0; i < pieces; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        yield Buffer.alloc(pieceBytes, i);
      }
      if (end === 'break') throw new Error('client went away');
    })(),
    { objectMode: false },
  );
}

/** What every object store must do. `open` gives the one store under test; it is called once tests run. */
export function describeObjectStore(name: string, open: () => ObjectStore): void {
  describe(`${name}: objects`, () => {
    it('gives back the bytes that were put, from a buffer and from a stream', async () => {
      const bytes = randomBytes(300_000);
      for (const body of [bytes, Readable.from([bytes.subarray(0, 7), bytes.subarray(7)])]) {
        const key = newObjectKey('blob');
        await open().put(key, body, { sizeBytes: bytes.length });
        expect((await bytesOf(open(), key)).equals(bytes)).toBe(true);
      }
    });

    it('keeps an object of no bytes', async () => {
      const key = newObjectKey('blob');
      await open().put(key, Readable.from([]), { sizeBytes: 0 });
      expect((await open().head(key))?.sizeBytes).toBe(0);
      expect((await bytesOf(open(), key)).length).toBe(0);
    });

    it('gives exactly the bytes of a range', async () => {
      const key = newObjectKey('blob');
      const bytes = randomBytes(100_000);
      await open().put(key, bytes, { sizeBytes: bytes.length });
      for (const [start, end] of [
        [0, 0],
        [10, 19],
        [99_999, 99_999],
        [0, 99_999],
      ] as const) {
        const got = await buffer(await open().get(key, { range: { start, end } }));
        expect(got.equals(bytes.subarray(start, end + 1))).toBe(true);
      }
    });

    it('gives the same bytes in pieces, each valid until the next, and ends when its reader leaves', async () => {
      const key = newObjectKey('blob');
      const bytes = randomBytes(3_500_000);
      await open().put(key, bytes, { sizeBytes: bytes.length });
      for (const range of [undefined, { start: 0, end: 0 }, { start: 1_000_001, end: 3_499_999 }]) {
        const parts: Buffer[] = [];
        const pieces = await open().pieces(key, range ? { range } : {});
        for await (const piece of pieces) parts.push(Buffer.from(piece));
        const wanted = range ? bytes.subarray(range.start, range.end + 1) : bytes;
        expect(Buffer.concat(parts).equals(wanted)).toBe(true);
      }
      const never = await open().pieces(key);
      await never.return();
      expect((await never.next()).done).toBe(true);
      for await (const piece of await open().pieces(key)) {
        expect(piece.equals(bytes.subarray(0, piece.length))).toBe(true);
        break;
      }
      await expect(open().pieces(newObjectKey('blob'))).rejects.toBeInstanceOf(ObjectMissing);
    });

    it('fills memory of the caller from any place, or throws when it does not hold so much', async () => {
      const key = newObjectKey('blob');
      const bytes = randomBytes(300_000);
      await open().put(key, bytes, { sizeBytes: bytes.length });
      for (const [start, length] of [
        [0, 300_000],
        [123_456, 100_000],
        [299_999, 1],
      ] as const) {
        const target = Buffer.alloc(length);
        await open().fill(key, start, target);
        expect(target.equals(bytes.subarray(start, start + length))).toBe(true);
      }
      await expect(open().fill(key, 299_999, Buffer.alloc(2))).rejects.toThrow();
      await expect(open().fill(newObjectKey('blob'), 0, Buffer.alloc(1))).rejects.toBeInstanceOf(
        ObjectMissing,
      );
      await expect(open().fill(key, 0, Buffer.alloc(1), AbortSignal.abort())).rejects.toThrow();
    });

    it('refuses a range that the object does not hold whole, rather than give fewer bytes', async () => {
      const key = newObjectKey('blob');
      await open().put(key, Buffer.alloc(10), { sizeBytes: 10 });
      for (const range of [
        { start: 5, end: 10 },
        { start: 10, end: 10 },
        { start: 100, end: 200 },
      ])
        await expect(open().get(key, { range })).rejects.toMatchObject({ code: 'range_not_satisfiable' });
    });

    it('tells size and age, and null for what is not there', async () => {
      const key = newObjectKey('blob');
      await open().put(key, Buffer.alloc(1234), { sizeBytes: 1234 });
      const info = await open().head(key);
      expect(info).toMatchObject({ key, sizeBytes: 1234 });
      expect(Math.abs(Date.now() - (info?.lastModifiedMs ?? 0))).toBeLessThan(60_000);
      expect(await open().head(newObjectKey('blob'))).toBeNull();
    });

    it('throws ObjectMissing when it reads what is not there', async () => {
      await expect(open().get(newObjectKey('blob'))).rejects.toBeInstanceOf(ObjectMissing);
    });

    it('deletes what is there and does not mind what is not', async () => {
      const key = newObjectKey('blob');
      await open().put(key, Buffer.from('x'), { sizeBytes: 1 });
      await open().delete([key, newObjectKey('blob')]);
      expect(await open().head(key)).toBeNull();
      await open().delete([]);
    });

    it('lists all objects under a prefix and no others', async () => {
      const prefix = `staging/${randomBytes(8).toString('hex')}`;
      const keys = [`${prefix}/a`, `${prefix}/b/c`, `${prefix}-other`, `${prefix}/b/d`];
      for (const key of keys) await open().put(key, Buffer.from(key), { sizeBytes: key.length });
      expect((await keysUnder(open(), `${prefix}/`)).map((o) => o.key).sort()).toEqual(
        [`${prefix}/a`, `${prefix}/b/c`, `${prefix}/b/d`].sort(),
      );
      expect((await keysUnder(open(), `${prefix}/b`)).map((o) => o.sizeBytes)).toEqual([
        `${prefix}/b/c`.length,
        `${prefix}/b/d`.length,
      ]);
      expect((await keysUnder(open(), prefix)).length).toBe(4);
      expect(await keysUnder(open(), `${prefix}/none/`)).toEqual([]);
    });

    it('lists and deletes more objects than fit one page of S3', async () => {
      const prefix = `staging/${randomBytes(8).toString('hex')}/`;
      const keys = Array.from({ length: 1005 }, (_, i) => `${prefix}${i}`);
      for (let at = 0; at < keys.length; at += 67)
        await Promise.all(
          keys.slice(at, at + 67).map((k) => open().put(k, Buffer.from('1'), { sizeBytes: 1 })),
        );
      expect((await keysUnder(open(), prefix)).length).toBe(1005);
      await open().delete(keys);
      expect(await keysUnder(open(), prefix)).toEqual([]);
    });

    it('takes keys of any script, with spaces, plus, percent and quotes', async () => {
      const prefix = `staging/${randomBytes(8).toString('hex')}/`;
      for (const name of ['模型 é+1', 'a%2Fb', 'it\'s "quoted"', 'q?x=1&y#z', '🤗']) {
        const key = prefix + name;
        await open().put(key, Buffer.from(name), { sizeBytes: Buffer.byteLength(name) });
        expect((await bytesOf(open(), key)).toString()).toBe(name);
        expect((await keysUnder(open(), key)).map((o) => o.key)).toEqual([key]);
        await open().delete([key]);
        expect(await open().head(key)).toBeNull();
      }
    });
  });

  describe(`${name}: bodies that are not what was announced`, () => {
    const refused: [string, () => Readable | Uint8Array, number][] = [
      ['a stream that is too short', () => trickle(10, 1000), 10_001],
      ['a stream that is too long', () => trickle(10, 1000), 9_999],
      ['an empty stream', () => trickle(0, 0), 1],
      ['a buffer that is too short', () => Buffer.alloc(9), 10],
      ['a buffer that is too long', () => Buffer.alloc(11), 10],
    ];
    it.each(refused)('refuses %s and nothing is visible', async (_, body, sizeBytes) => {
      const key = newObjectKey('blob');
      await expect(open().put(key, body(), { sizeBytes })).rejects.toMatchObject({ code: 'invalid_input' });
      expect(await open().head(key)).toBeNull();
    });

    it('passes on the error of a body that breaks, and nothing is visible', async () => {
      const key = newObjectKey('blob');
      const put = open().put(key, trickle(100, 10_000, 'break'), { sizeBytes: 2_000_000 });
      await expect(put).rejects.toThrow('client went away');
      expect(await open().head(key)).toBeNull();
    });

    it('stops when aborted, and nothing is visible', async () => {
      const key = newObjectKey('blob');
      const abort = new AbortController();
      const stalled = new Readable({ read() {} });
      stalled.push(Buffer.alloc(100_000));
      const put = open().put(key, stalled, { sizeBytes: 200_000, signal: abort.signal });
      setTimeout(() => abort.abort(), 50);
      await expect(put).rejects.toThrow();
      expect(stalled.destroyed).toBe(true);
      expect(await open().head(key)).toBeNull();
    });
  });

  describe(`${name}: many and large`, () => {
    it('takes 20 puts at once without mixing them', async () => {
      const bodies = Array.from({ length: 20 }, () => randomBytes(200_000));
      const keys = bodies.map(() => newObjectKey('xorb'));
      await Promise.all(
        bodies.map((b, i) => open().put(keys[i] ?? '', Readable.from([b]), { sizeBytes: b.length })),
      );
      for (const [i, key] of keys.entries())
        expect((await bytesOf(open(), key)).equals(bodies[i] as Buffer)).toBe(true);
    });

    // When garbage is collected is the engine's choice; holding the file would fail both tries.
    it('streams 100 MiB in and out while memory grows by less than 64 MiB', { retry: 1 }, async () => {
      const key = newObjectKey('blob');
      const piece = randomBytes(MIB);
      const wanted = createHash('sha256');
      let most = 0;
      const start = process.memoryUsage.rss();
      const watch = () => {
        most = Math.max(most, process.memoryUsage.rss() - start);
      };
      const body = Readable.from(
        (function* () {
          for (let i = 0; i < 100; i++) {
            wanted.update(piece);
            watch();
            yield piece;
          }
        })(),
        { objectMode: false, highWaterMark: MIB },
      );
      await open().put(key, body, { sizeBytes: 100 * MIB });
      const got = createHash('sha256');
      await pipeline(await open().get(key), async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) {
          got.update(chunk);
          watch();
        }
      });
      expect(got.digest('hex')).toBe(wanted.digest('hex'));
      expect(most / MIB).toBeLessThan(64);
      await open().delete([key]);
    });
  });

  describe(`${name}: probe`, () => {
    it('is content with a store that works and leaves nothing', async () => {
      const before = (await keysUnder(open(), 'staging/')).length;
      await open().probe();
      expect((await keysUnder(open(), 'staging/')).length).toBe(before);
    });
  });
}
