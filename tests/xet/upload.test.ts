import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashBytes } from '#lib/repos/files/xet/hashes.ts';
import { xxhash32 } from '#lib/repos/files/xet/xxhash32.ts';
import {
  type BuiltTerm,
  buildShard,
  buildXorb,
  chunkRecord,
  contentOf,
  fileHashOf,
  sha256Of,
} from './build.ts';
import { type Cas, type CasHub, leftovers, startCasHub, TOKENS } from './cas-hub.ts';

let hub: CasHub;
let cas: Cas;

beforeAll(async () => {
  hub = await startCasHub();
  await hub.createRepo('alice', 'model');
  cas = await hub.cas('alice/model', TOKENS.alice);
});
afterAll(() => hub.close());

const chunks = (...sizes: number[]) => sizes.map((size) => randomBytes(size));

/** Whatever `work` sends is refused with `status`, for a reason that matches, and leaves no trace. */
async function refused(work: () => Promise<Response>, status: number, reason: RegExp): Promise<void> {
  const before = await leftovers(hub.app);
  const answer = await work();
  const { error } = (await answer.json()) as { error: string };
  expect(error).toMatch(reason);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('x-error-message')).toBe(error);
  expect(await leftovers(hub.app)).toEqual(before);
}

describe('xorbs', () => {
  test('a xorb is stored once; the second upload says so', async () => {
    const xorb = buildXorb(chunks(9000, 70_000, 131_072, 1));
    const first = await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
    expect([first.status, await first.json()]).toEqual([200, { was_inserted: true }]);
    const second = await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
    expect([second.status, await second.json()]).toEqual([200, { was_inserted: false }]);
    const head = await fetch(`${cas.url}/v1/xorbs/default/${xorb.hash}`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${cas.token}` },
    });
    expect(head.headers.get('content-length')).toBe(String(xorb.body.length));
  });

  test('a xorb of 64 MiB that does not compress, with its headers above 64 MiB, is accepted', async () => {
    const chunk = randomBytes(65_536);
    const xorb = buildXorb(Array.from({ length: 1024 }, () => chunk));
    expect(xorb.body.length).toBeGreaterThan(64 * 1024 * 1024);
    expect((await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body)).status).toBe(200);
  });

  test("an old client's footer is accepted, and its chunk hashes are not stored", async () => {
    const xorb = buildXorb(chunks(5000, 6000));
    const footer = Buffer.concat([Buffer.from('XETBLOB\x01'), hashBytes(xorb.hash), randomBytes(140)]);
    const answer = await cas.post(`/v1/xorbs/default/${xorb.hash}`, Buffer.concat([xorb.body, footer]));
    expect(answer.status).toBe(200);
    const { rows } = await hub.app.db.query<{ key: string }>(
      'SELECT o.key FROM xorb x JOIN stored_object o ON o.id = x.object_id WHERE x.hash = $1',
      [hashBytes(xorb.hash)],
    );
    const stored = await (await hub.app.store.get(rows[0]?.key ?? '')).toArray();
    expect(Buffer.concat(stored).indexOf(hashBytes(xorb.hash))).toBe(-1);
  });

  test('two uploads of the same xorb at once both succeed and leave one object', async () => {
    const xorb = buildXorb(chunks(100_000, 100_000, 50_000));
    const before = await leftovers(hub.app);
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body)),
    );
    expect(answers.map((a) => a.status)).toEqual([200, 200, 200, 200]);
    const after = await leftovers(hub.app);
    expect([after.xorbs, after.objects, after.stored]).toEqual(
      [before.xorbs, before.objects, before.stored].map((n) => (n ?? 0) + 1),
    );
  });

  test('an object that the store lost is replaced by the next upload of the xorb', async () => {
    const xorb = buildXorb(chunks(30_000));
    const terms = [{ xorb, start: 0, end: 1 }];
    expect((await cas.upload(terms)).status).toBe(200);
    const { rows } = await hub.app.db.query<{ key: string }>(
      'SELECT o.key FROM xorb x JOIN stored_object o ON o.id = x.object_id WHERE x.hash = $1',
      [hashBytes(xorb.hash)],
    );
    await hub.app.store.delete([rows[0]?.key ?? '']);
    const again = await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
    expect(await again.json()).toEqual({ was_inserted: true });
    expect((await cas.upload(terms)).status).toBe(200);
  });

  const bomb = () => {
    const block = Buffer.concat([Buffer.from([0x1f, 7, 1, 0]), Buffer.alloc(250, 255), Buffer.from([0])]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    const body = Array.from({ length: 900 }, () => Buffer.concat([size, block]));
    const descriptor = Buffer.from([0x40, 0x40]); // linked blocks of 64 KiB
    const check = (xxhash32(descriptor) >>> 8) & 0xff;
    const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, ...descriptor, check]);
    return Buffer.concat([head, ...body, Buffer.alloc(4)]);
  };

  test.each([
    ['the hash of another xorb', () => buildXorb(chunks(5000)).body, /not to the hash in the address/],
    ['a chunk cut short', () => buildXorb(chunks(5000, 5000)).body.subarray(0, -1), /cut short/],
    [
      'bytes after the last chunk',
      () => Buffer.concat([buildXorb(chunks(50)).body, Buffer.from('junk')]),
      /cut short/,
    ],
    ['no chunk at all', () => Buffer.alloc(0), /no chunk/],
    ['a version that is not known', () => chunkRecord(Buffer.from('abc'), 0, 3, 9), /version 9/],
    ['a compression that is not known', () => chunkRecord(Buffer.from('abc'), 7), /scheme 7/],
    ['an empty chunk', () => chunkRecord(Buffer.alloc(0)), /0 uncompressed bytes/],
    ['a chunk above 128 KiB', () => chunkRecord(randomBytes(131_073)), /131073 uncompressed bytes/],
    ['lengths that contradict each other', () => chunkRecord(Buffer.from('abc'), 0, 4), /not possible/],
    ['LZ4 that is not LZ4', () => chunkRecord(randomBytes(100), 1, 200), /LZ4/],
    ['an LZ4 bomb', () => chunkRecord(bomb(), 1, 131_072), /more output than promised/],
    ['an LZ4 bomb under byte grouping', () => chunkRecord(bomb(), 2, 131_072), /more output than promised/],
    [
      'too many chunks',
      () => Buffer.concat(Array.from({ length: 8193 }, () => chunkRecord(Buffer.from('a')))),
      /at most 8192/,
    ],
  ])('%s is refused', async (_what, body, reason) => {
    await refused(() => cas.post(`/v1/xorbs/default/${'0'.repeat(64)}`, body()), 400, reason);
  });

  test('more than 64 MiB of raw bytes, and a body above the limit, are refused', async () => {
    const chunk = chunkRecord(randomBytes(131_072));
    const body = Buffer.concat(Array.from({ length: 513 }, () => chunk));
    await refused(() => cas.post(`/v1/xorbs/default/${'0'.repeat(64)}`, body), 400, /uncompressed bytes/);
  });

  test('a hash that is none is refused', async () => {
    await refused(() => cas.post('/v1/xorbs/default/xyz', Buffer.from('abc')), 400, /64 hex digits/);
  });

  test('an upload that breaks off half-way leaves nothing', async () => {
    const before = await leftovers(hub.app);
    const xorb = buildXorb(Array.from({ length: 100 }, () => randomBytes(100_000)));
    const address = new URL(cas.url);
    const socket = connect(Number(address.port), address.hostname);
    socket.write(
      `POST ${address.pathname}/v1/xorbs/default/${xorb.hash} HTTP/1.1\r\nhost: ${address.host}\r\n` +
        `authorization: Bearer ${cas.token}\r\ncontent-length: ${xorb.body.length}\r\n\r\n`,
    );
    socket.write(xorb.body.subarray(0, 6_000_000));
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await leftovers(hub.app)).toEqual(before);
  });
});

describe('shards', () => {
  const oneFile = (): BuiltTerm[] => {
    const xorb = buildXorb(chunks(9000, 10_000, 11_000, 12_000));
    return [
      { xorb, start: 1, end: 3 },
      { xorb, start: 0, end: 1 },
      { xorb, start: 1, end: 2 },
    ];
  };

  test('a registered file is the repo’s: its SHA-256 was recomputed and its bytes are what was sent', async () => {
    const terms = oneFile();
    const answer = await cas.upload(terms);
    expect([answer.status, await answer.json()]).toEqual([200, { result: 1 }]);
    const { rows } = await hub.app.db.query(
      `SELECT f.sha256_state, r.size_bytes FROM xet_file f JOIN repo_file r ON r.xet_file_id = f.id WHERE f.sha256 = $1`,
      [Buffer.from(sha256Of(contentOf(terms)), 'hex')],
    );
    expect(rows).toEqual([{ sha256_state: 'verified', size_bytes: contentOf(terms).length }]);
    expect((await cas.upload(terms)).status).toBe(200); // again
  });

  test('one shard may hold many files, an empty one among them', async () => {
    const files = [oneFile(), oneFile(), []];
    const xorbs = [...new Set(files.flatMap((f) => f.map((t) => t.xorb)))];
    for (const xorb of xorbs) await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
    const before = await leftovers(hub.app);
    expect((await cas.post('/v1/shards', buildShard(files, xorbs))).status).toBe(200);
    expect((await leftovers(hub.app)).edges).toBe((before.edges ?? 0) + 3);
  });

  test('a footer after the second bookend is ignored', async () => {
    const terms = oneFile();
    await cas.upload(terms);
    const xorbs = [...new Set(terms.map((t) => t.xorb))];
    const shard = Buffer.concat([buildShard([terms], xorbs), randomBytes(200)]);
    expect((await cas.post('/v1/shards', shard)).status).toBe(200);
  });

  test('version 2 answers with frames that end in a result', async () => {
    const terms = oneFile();
    const xorbs = [...new Set(terms.map((t) => t.xorb))];
    for (const xorb of xorbs) await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
    const answer = await cas.post('/v2/shards', buildShard([terms], xorbs));
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const frames = (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(frames[0]).toEqual({ type: 'validating', verified: 0, total: contentOf(terms).length });
    expect(frames.at(-2)).toEqual({ type: 'committing', stage: 'syncing' });
    expect(frames.at(-1)).toEqual({ type: 'result', result: 1 });
  });

  test('version 2 says in its last frame that the SHA-256 is wrong, and nothing is registered', async () => {
    const terms = oneFile();
    const xorbs = [...new Set(terms.map((t) => t.xorb))];
    for (const xorb of xorbs) await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
    const before = await leftovers(hub.app);
    const answer = await cas.post('/v2/shards', buildShard([terms], xorbs, { sha256: '1'.repeat(64) }));
    const last = JSON.parse((await answer.text()).trim().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ type: 'error', retryable: false });
    expect(last.message).toContain(sha256Of(contentOf(terms)));
    expect(await leftovers(hub.app)).toEqual(before);
  });

  const other = buildXorb(chunks(400));
  test.each([
    ['a wrong SHA-256', { sha256: '1'.repeat(64) }, /has the SHA-256/],
    ['a SHA-256 whose bytes are in plain order', { plainSha256: true }, /has the SHA-256/],
    ['another file id', { fileHash: hashBytes(other.hash) }, /another file id/],
    ['a wrong verification hash', { rangeHash: hashBytes(other.hash) }, /verification hash/],
    ['a term that runs past its xorb', { end: 9 }, /chunks \d to 9 are not in a xorb of 4/],
    ['an empty term', { end: 0 }, /are not in a xorb/],
    ['a wrong length of a term', { rawBytes: 5 }, /the shard says 5/],
    ['a xorb that was never uploaded', { xorbHash: hashBytes(other.hash) }, /is not here/],
    ['a chunk list that differs', { chunkHash: hashBytes(other.hash) }, /differs from what was uploaded/],
    ['no verification entries', { withoutVerification: true }, /verification entries are missing/],
    ['no SHA-256', { withoutSha256: true }, /SHA-256 is missing/],
  ])('%s is refused', async (_what, lies, reason) => {
    const terms = oneFile();
    const xorbs = [...new Set(terms.map((t) => t.xorb))];
    for (const xorb of xorbs) await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
    await refused(() => cas.post('/v1/shards', buildShard([terms], xorbs, lies)), 400, reason);
  });

  test('a shard cut anywhere is refused', async () => {
    const terms = oneFile();
    await cas.upload(terms);
    const shard = buildShard([terms], [...new Set(terms.map((t) => t.xorb))]);
    for (const length of [0, 10, 48, 96, 144, shard.length - 48, shard.length - 1])
      await refused(() => cas.post('/v1/shards', shard.subarray(0, length)), 400, /cut short/);
  });

  test('counts beyond the body cost nothing', async () => {
    const shard = buildShard([oneFile()], []);
    shard.writeUInt32LE(0xffffffff, 48 + 36);
    await refused(() => cas.post('/v1/shards', shard), 400, /cut short/);
  });

  test('what is not a shard is refused', async () => {
    await refused(() => cas.post('/v1/shards', randomBytes(480)), 400, /wrong tag/);
    const shard = buildShard([], []);
    shard[32] = 3;
    await refused(() => cas.post('/v1/shards', shard), 400, /version 3/);
  });

  test('the file id is what clients compute', () => {
    expect(fileHashOf([])).toBe('0'.repeat(64));
  });
});
