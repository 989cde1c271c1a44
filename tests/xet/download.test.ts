import { randomBytes } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readChunkRecord } from '#lib/repos/files/xet/chunk-records.ts';
import { hashBytes } from '#lib/repos/files/xet/hashes.ts';
import { openXetFile, openXetPieces } from '#lib/repos/files/xet/open-xet-file.ts';
import { verifyXetFile } from '#lib/repos/files/xet/verify-xet-file.ts';
import { type BuiltTerm, buildXorb, contentOf, fileHashOf, sha256Of } from './build.ts';
import { type Cas, type CasHub, startCasHub, TOKENS } from './cas-hub.ts';

let hub: CasHub;
let cas: Cas;
let terms: BuiltTerm[];
let content: Buffer;

const MANY = Array.from({ length: 400 }, (_, i) => 5000 + ((i * 7919) % 20_000));
const xorbOf = (sizes: readonly number[]) => buildXorb(sizes.map((size) => randomBytes(size)));

beforeAll(async () => {
  hub = await startCasHub({ env: { LARDER_INLINE_SHA256_BYTES: '30000000' } });
  await hub.createRepo('alice', 'model');
  cas = await hub.cas('alice/model', TOKENS.alice);
  const [a, b] = [xorbOf(MANY), xorbOf([1, 131_072, 40_000])];
  terms = [
    { xorb: a, start: 3, end: 200 },
    { xorb: b, start: 0, end: 3 },
    { xorb: a, start: 150, end: 260 },
    { xorb: a, start: 300, end: 301 },
    { xorb: b, start: 2, end: 3 },
  ];
  content = contentOf(terms);
  expect((await cas.upload(terms)).status).toBe(200);
});
afterAll(() => hub.close());

interface Plan {
  offset_into_first_range: number;
  terms: { hash: string; unpacked_length: number; range: { start: number; end: number } }[];
  fetch_info: Record<string, Fetch[]>;
}
interface Fetch {
  range: { start: number; end: number };
  url: string;
  url_range: { start: number; end: number };
}

/** Follows a v1 plan as a client does. */
async function follow(plan: Plan): Promise<Buffer> {
  const out: Buffer[] = [];
  for (const term of plan.terms) {
    const entry = plan.fetch_info[term.hash]?.find(
      (f) => f.range.start <= term.range.start && term.range.end <= f.range.end,
    ) as Fetch;
    const range = `bytes=${entry.url_range.start}-${entry.url_range.end}`;
    const answer = await fetch(entry.url, { headers: { range } });
    expect(answer.status).toBe(206);
    const stored = Buffer.from(await answer.arrayBuffer());
    const parts: Buffer[] = [];
    for (let at = 0, i = entry.range.start; i < term.range.end; i++) {
      const record = readChunkRecord(stored, at);
      if (i >= term.range.start) parts.push(stored.subarray(record.dataStart, record.dataEnd));
      at = record.dataEnd;
    }
    const bytes = Buffer.concat(parts);
    expect(bytes.length).toBe(term.unpacked_length);
    out.push(bytes);
  }
  return Buffer.concat(out).subarray(plan.offset_into_first_range);
}

async function fileIdOf(sha256: string): Promise<number> {
  const { rows } = await hub.app.db.query<{ id: number }>('SELECT id FROM xet_file WHERE sha256 = $1', [
    Buffer.from(sha256, 'hex'),
  ]);
  return rows[0]?.id ?? -1;
}

const RANGES: [number, number][] = [
  [0, 0],
  [0, 9],
  [1, 1_000_000],
  [1_234_567, 1_234_567],
  [2_000_000, 2_600_000],
];

describe('reconstruction', () => {
  test('a client that follows the plan gets the file, whole and in ranges', async () => {
    const path = `/v1/reconstructions/${fileHashOf(terms)}`;
    expect((await follow((await (await cas.get(path)).json()) as Plan)).equals(content)).toBe(true);
    for (const [start, end] of RANGES) {
      const plan = (await (await cas.get(path, { range: `bytes=${start}-${end}` })).json()) as Plan;
      const bytes = await follow(plan);
      expect(bytes.subarray(0, end - start + 1).equals(content.subarray(start, end + 1))).toBe(true);
    }
  });

  test('version 2 has one range per entry and a URL of its own for each', async () => {
    const answer = await cas.get(`/v2/reconstructions/${fileHashOf(terms)}`);
    const plan = (await answer.json()) as { xorbs: Record<string, { url: string; ranges: unknown[] }[]> };
    const entries = Object.values(plan.xorbs).flat();
    expect(entries.length).toBe(3);
    expect(new Set(entries.map((e) => e.url)).size).toBe(3);
    expect(entries.every((e) => e.ranges.length === 1)).toBe(true);
  });

  test('a range past the end is 416, one across the end is cut', async () => {
    const path = `/v2/reconstructions/${fileHashOf(terms)}`;
    const past = await cas.get(path, { range: `bytes=${content.length}-${2 ** 40}` });
    expect([past.status, past.headers.get('content-range')]).toEqual([416, `bytes */${content.length}`]);
    const across = await cas.get(path, { range: `bytes=${content.length - 5}-99999999999999999999` });
    expect(across.status).toBe(200);
    for (const bad of ['bytes=5-2', 'bytes=-5', 'lines=1-2', 'bytes=0-1,4-5'])
      expect((await cas.get(path, { range: bad })).status).toBe(400);
  });

  test('an empty file has an empty plan and an empty stream', async () => {
    expect((await cas.upload([])).status).toBe(200);
    const path = `/v2/reconstructions/${'0'.repeat(64)}`;
    for (const headers of [{}, { range: 'bytes=0-1023' }]) {
      const answer = await cas.get(path, headers);
      expect(await answer.json()).toEqual({ offset_into_first_range: 0, terms: [], xorbs: {} });
    }
    const stream = await openXetFile(hub.app, await fileIdOf(sha256Of(Buffer.alloc(0))));
    expect(await stream.toArray()).toEqual([]);
  });

  test('an unknown file is 404, and so is what this hub does not serve', async () => {
    const hash = 'ab'.repeat(32);
    for (const path of [`/v1/reconstructions/${hash}`, `/v2/reconstructions/${hash}`])
      expect((await cas.get(path)).status).toBe(404);
    expect((await cas.get(`/v2/file-chunk-hashes/${hash}`)).status).toBe(404);
  });

  test('a link gives exactly the signed range', async () => {
    const plan = (await (await cas.get(`/v1/reconstructions/${fileHashOf(terms)}`)).json()) as Plan;
    const [[first]] = Object.values(plan.fetch_info) as [[Fetch]];
    const { url, url_range } = first;
    const ask = async (range?: string, address = url) =>
      (await fetch(address, range === undefined ? {} : { headers: { range } })).status;
    expect(await ask(`bytes=${url_range.start}-${url_range.end}`)).toBe(206);
    expect(await ask(`bytes=${url_range.start}-${url_range.end - 1}`)).toBe(403);
    expect(await ask(`bytes=${url_range.start}-${url_range.end + 1}`)).toBe(403);
    expect(await ask()).toBe(403);
    const forged = `${url.slice(0, -9)}${url.at(-9) === 'x' ? 'y' : 'x'}${url.slice(-8)}`; // the last digits say less than they look
    expect(await ask(`bytes=${url_range.start}-${url_range.end}`, forged)).toBe(403);
  });
});

describe('the bridge', () => {
  test('every range of the plain stream equals the slice of the file', async () => {
    const fileId = await fileIdOf(sha256Of(content));
    const read = async (start: number, end: number) =>
      Buffer.concat(await (await openXetFile(hub.app, fileId, { start, end })).toArray());
    for (let i = 0; i < 60; i++) {
      const start = Math.floor(Math.random() * content.length);
      const end = Math.min(content.length - 1, start + Math.floor(Math.random() ** 4 * content.length));
      expect((await read(start, end)).equals(content.subarray(start, end + 1))).toBe(true);
    }
    const whole = Buffer.concat(await (await openXetFile(hub.app, fileId)).toArray());
    expect(whole.equals(content)).toBe(true);
    await expect(openXetFile(hub.app, fileId, { start: 0, end: content.length })).rejects.toMatchObject({
      code: 'range_not_satisfiable',
    });
  });

  test('a reader that leaves early ends the work behind the stream', async () => {
    const stream = await openXetFile(hub.app, await fileIdOf(sha256Of(content)));
    for await (const part of stream) {
      expect((part as Buffer).equals(content.subarray(0, (part as Buffer).length))).toBe(true);
      break;
    }
    expect(stream.destroyed).toBe(true);
  });

  test('sixty-four readers hold a MiB each at most, however little they take, and a lone one runs ahead', async () => {
    const xorb = xorbOf(Array.from({ length: 100 }, () => 65_536));
    const big: BuiltTerm[] = [{ xorb, start: 0, end: 100 }];
    expect((await cas.upload(big)).status).toBe(200);
    const id = await fileIdOf(sha256Of(contentOf(big)));
    let fetched = 0;
    const store: typeof hub.app.store = {
      ...hub.app.store,
      async fill(key, start, target, signal) {
        await hub.app.store.fill(key, start, target, signal);
        fetched += target.buffer.byteLength;
      },
    };
    let tablesRead = 0;
    const db: typeof hub.app.db = Object.create(hub.app.db, {
      query: {
        value: (...args: Parameters<typeof hub.app.db.query>) => {
          if (JSON.stringify(args[0]).includes('chunk_meta')) tablesRead++;
          return hub.app.db.query(...args);
        },
      },
    });
    const readers = (count: number) =>
      Promise.all(Array.from({ length: count }, () => openXetPieces({ ...hub.app, db, store }, id)));
    const idle = async () => {
      for (let before = -1; before !== fetched; await new Promise((resolve) => setTimeout(resolve, 200)))
        before = fetched;
    };
    const many = await readers(64);
    await Promise.all(many.map((pieces) => pieces.next()));
    await idle();
    // as stored; the decoded bytes are as many again
    expect(fetched).toBeLessThanOrEqual(64 * 512 * 1024);
    expect(tablesRead).toBe(1);
    await Promise.all(many.map((pieces) => pieces.return()));
    fetched = 0;
    const [alone] = await readers(1);
    await alone?.next();
    await idle();
    expect(fetched).toBeGreaterThan(2 * 1024 * 1024);
    await alone?.return();
  });

  test('a bit that flipped in the store is an error, never wrong bytes', async () => {
    const xorb = xorbOf([50_000, 60_000]);
    const damaged = [{ xorb, start: 0, end: 2 }];
    await cas.upload(damaged);
    const { rows } = await hub.app.db.query<{ key: string }>(
      'SELECT o.key FROM xorb x JOIN stored_object o ON o.id = x.object_id WHERE x.hash = $1',
      [hashBytes(xorb.hash)],
    );
    const name = rows[0]?.key.split('/').at(-1) ?? '';
    const path = (await readdir(hub.dataDir, { recursive: true })).find((p) => p.endsWith(name)) ?? '';
    const file = await open(join(hub.dataDir, path), 'r+');
    await file.write(Buffer.from([1]), 0, 1, 30_000);
    await file.write(Buffer.from([2]), 0, 1, 30_001);
    await file.close();
    const stream = await openXetFile(hub.app, await fileIdOf(sha256Of(contentOf(damaged))));
    await expect(stream.toArray()).rejects.toThrow(/differs from its hash/);
  });
});

describe('files above the inline limit', () => {
  const large = () => {
    const xorb = xorbOf(Array.from({ length: 10 }, () => 100_000));
    return Array.from({ length: 31 }, () => ({ xorb, start: 0, end: 10 }));
  };
  const stateOf = async (id: number) =>
    (await hub.app.db.query('SELECT sha256_state FROM xet_file WHERE id = $1', [id])).rows[0]?.sha256_state;

  test('are usable at once in their own repo and verified by a job, which may run twice', async () => {
    const file = large();
    expect((await cas.upload(file)).status).toBe(200);
    const fileId = await fileIdOf(sha256Of(contentOf(file)));
    expect(await stateOf(fileId)).toBe('unverified');
    expect((await cas.get(`/v2/reconstructions/${fileHashOf(file)}`)).status).toBe(200);
    await verifyXetFile(hub.app, { fileId });
    await verifyXetFile(hub.app, { fileId });
    expect(await stateOf(fileId)).toBe('verified');
    expect((await cas.upload(file)).status).toBe(200);
    expect(await stateOf(fileId)).toBe('verified');
  });

  test('with a false SHA-256 are taken out of use when the job finds out', async () => {
    const file = large();
    expect((await cas.upload(file, { sha256: 'e'.repeat(64) })).status).toBe(200);
    const fileId = await fileIdOf('e'.repeat(64));
    await verifyXetFile(hub.app, { fileId });
    await verifyXetFile(hub.app, { fileId });
    expect(await stateOf(fileId)).toBe('bad');
    expect((await cas.get(`/v2/reconstructions/${fileHashOf(file)}`)).status).toBe(404);
    await expect(openXetFile(hub.app, fileId)).rejects.toMatchObject({ code: 'entry_not_found' });
  });
});
