import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uploadFile } from '@huggingface/hub';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAskedFor } from '#lib/repos/files/xet/chunk-index.ts';
import { chunkHash, hashBytes, hashText, keyedBy } from '#lib/repos/files/xet/hashes.ts';
import { BOOKEND } from '#lib/repos/files/xet/shard.ts';
import { hfOk } from '../clients/python.ts';
import { type Hub, startHub } from '../support/hub.ts';
import { type BuiltTerm, buildShard, buildXorb } from './build.ts';
import { type CasHub, startCasHub, TOKENS } from './cas-hub.ts';

const MIB = 1024 * 1024;

/** Random bytes whose chunk clients ask about wherever it stands. */
function askedForChunk(): Buffer {
  for (;;) {
    const bytes = randomBytes(40);
    if (isAskedFor(chunkHash(bytes))) return bytes;
  }
}
const chunksOf = (n: number) => Array.from({ length: n }, () => randomBytes(300));
const whole = (chunks: Buffer[]): BuiltTerm[] => [{ xorb: buildXorb(chunks), start: 0, end: chunks.length }];

interface Answer {
  readonly key: Buffer;
  readonly expiresAt: number;
  readonly xorbs: { hash: Buffer; masked: Buffer[] }[];
}

/** Reads an answer as clients do: sections by their bookends, the end of the xorbs by the footer. */
function parseAnswer(bytes: Buffer): Answer {
  const footer = bytes.subarray(bytes.length - 200);
  expect(footer.readBigUInt64LE(0)).toBe(1n);
  expect(Number(footer.readBigUInt64LE(192))).toBe(bytes.length - 200);
  for (const field of [24, 40, 56]) expect(footer.readBigUInt64LE(field)).toBe(footer.readBigUInt64LE(192));
  const xorbs: Answer['xorbs'] = [];
  let at = Number(footer.readBigUInt64LE(16));
  expect(bytes.subarray(48, 96)).toEqual(BOOKEND);
  while (!bytes.subarray(at, at + 48).equals(BOOKEND)) {
    const count = bytes.readUInt32LE(at + 36);
    const masked = Array.from({ length: count }, (_, i) =>
      bytes.subarray(at + 48 * (i + 1), at + 48 * (i + 1) + 32),
    );
    xorbs.push({ hash: bytes.subarray(at, at + 32), masked });
    at += 48 * (count + 1);
  }
  return { key: footer.subarray(72, 104), expiresAt: Number(footer.readBigUInt64LE(112)), xorbs };
}

describe('a question about a chunk', () => {
  let hub: CasHub;
  let nowMs = Date.parse('2026-11-20T10:00:00Z');
  beforeAll(async () => {
    hub = await startCasHub({ clock: { now: () => nowMs } });
    await hub.createRepo('alice', 'one');
    await hub.createRepo('alice', 'two', true);
    await hub.createRepo('bob', 'his');
  });
  afterAll(() => hub.close());

  const askNew = async (repo: string, who: string, session: string, on = hub) =>
    (await on.cas(repo, who)).get(`/v1/chunks/default/${hashText(chunkHash(randomBytes(40)))}`, {
      'x-xet-session-id': session,
    });
  /** In a session that was told of the newest files before. */
  const ask = async (repo: string, who: string, chunk: Buffer, prefix = 'default') => {
    await (await askNew(repo, who, 'told')).arrayBuffer();
    const path = `/v1/chunks/${prefix}/${hashText(chunkHash(chunk))}`;
    return (await hub.cas(repo, who)).get(path, { 'x-xet-session-id': 'told' });
  };
  const answerOf = async (response: Response) => {
    expect(response.status).toBe(200);
    return parseAnswer(Buffer.from(await response.arrayBuffer()));
  };

  test('is answered with its xorb and the other xorbs of its file, hashes masked, for the first chunk and for one in 1,024', async () => {
    const [a, b] = [chunksOf(3), [...chunksOf(1), askedForChunk(), ...chunksOf(1)]];
    const terms = [...whole(a), ...whole(b)];
    expect((await (await hub.cas('alice/one', TOKENS.alice)).upload(terms)).status).toBe(200);
    for (const prefix of ['default', 'default-merkledb']) {
      const answer = await answerOf(await ask('alice/two', TOKENS.alice, a[0] as Buffer, prefix));
      expect(answer.xorbs.map((xorb) => hashText(xorb.hash)).sort()).toEqual(
        terms.map((term) => term.xorb.hash).sort(),
      );
      const first = answer.xorbs.find((xorb) =>
        xorb.hash.equals(hashBytes((terms[0] as BuiltTerm).xorb.hash)),
      );
      expect(first?.masked).toEqual(a.map((chunk) => keyedBy(answer.key)(chunkHash(chunk))));
    }
    await answerOf(await ask('alice/one', TOKENS.alice, b[1] as Buffer));
    expect((await ask('alice/one', TOKENS.alice, b[0] as Buffer)).status).toBe(404);
    expect((await ask('alice/one', TOKENS.alice, Buffer.from('never seen'))).status).toBe(404);
  });

  test('shows no chunk hash in the clear, and the xorbs outlive the answer by a day', async () => {
    const chunks = chunksOf(4);
    await (await hub.cas('alice/one', TOKENS.alice)).upload(whole(chunks));
    await hub.app.db.query(`UPDATE xorb SET pinned_until = now() - interval '1 day'`);
    const response = await ask('alice/one', TOKENS.alice, chunks[0] as Buffer);
    const bytes = Buffer.from(await response.arrayBuffer());
    for (const chunk of chunks) expect(bytes.includes(chunkHash(chunk))).toBe(false);
    expect(parseAnswer(bytes).expiresAt).toBe(nowMs / 1000 + 7 * 86_400);
    const { rows } = await hub.app.db.query(
      `SELECT min(pinned_until) >= now() + interval '8 days' AS pinned FROM xorb WHERE pinned_until > now()`,
    );
    expect(rows[0].pinned).toBe(true);
  });

  test('is answered only inside the domain and to who may write: others learn nothing', async () => {
    const chunks = chunksOf(1);
    await (await hub.cas('alice/two', TOKENS.alice)).upload(whole(chunks));
    const chunk = chunks[0] as Buffer;
    expect((await ask('alice/one', TOKENS.alice, chunk)).status).toBe(200);
    expect((await ask('bob/his', TOKENS.bob, chunk)).status).toBe(404);
    const path = `/v1/chunks/default/${hashText(chunkHash(chunk))}`;
    for (const [repo, who] of [
      ['alice/one', TOKENS.bob],
      ['alice/one', TOKENS.aliceRead],
    ] as const)
      expect((await (await hub.cas(repo, who, 'read')).get(path)).status).toBe(404);
    const guest = await hub.ask('/api/models/alice/one/xet-write-token/None?create_pr=1', TOKENS.bob);
    const { casUrl, accessToken } = (await guest.json()) as { casUrl: string; accessToken: string };
    expect((await fetch(casUrl + path, { headers: { authorization: `Bearer ${accessToken}` } })).status).toBe(
      404,
    );
    expect((await fetch(casUrl + path)).status).toBe(401);
  });

  describe('that nobody has', () => {
    const names = (answer: Answer) => answer.xorbs.map((xorb) => hashText(xorb.hash)).sort();
    const namesOf = (...files: BuiltTerm[][]) =>
      files.flatMap((file) => file.map(({ xorb }) => xorb.hash as string)).sort();
    let [own, sibling]: BuiltTerm[][] = [];
    beforeAll(async () => {
      for (const name of ['three', 'four']) await hub.createRepo('alice', name, true);
      await hub.app.db.query('DELETE FROM repo_file');
      [own, sibling] = [whole(chunksOf(3)), whole(chunksOf(2))];
      await (await hub.cas('alice/three', TOKENS.alice)).upload(own);
      await (await hub.cas('alice/four', TOKENS.alice)).upload(sibling);
    });

    test('tells a session once what the newest files of the repo and its namespace consist of, and later what came since', async () => {
      const first = await answerOf(await askNew('alice/three', TOKENS.alice, 'session-1'));
      expect(names(first)).toEqual(namesOf(own as BuiltTerm[], sibling as BuiltTerm[]));
      const [block] = first.xorbs.filter((xorb) => xorb.masked.length === 3);
      const chunks = own?.[0]?.xorb.chunks as Buffer[];
      expect(block?.masked).toEqual(chunks.map((chunk) => keyedBy(first.key)(chunkHash(chunk))));
      expect((await askNew('alice/three', TOKENS.alice, 'session-1')).status).toBe(404);
      const later = whole(chunksOf(4));
      await (await hub.cas('alice/four', TOKENS.alice)).upload(later);
      expect(names(await answerOf(await askNew('alice/three', TOKENS.alice, 'session-1')))).toEqual(
        namesOf(later),
      );
      expect((await askNew('alice/three', TOKENS.alice, 'session-2')).status).toBe(200);
    });

    test('of many questions of a session at the same time one is told', async () => {
      const asked = Array.from({ length: 8 }, () => askNew('alice/three', TOKENS.alice, 'session-3'));
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 404)]);
    });

    test('tells nothing to other namespaces, readers or guests; nor across namespaces in one domain', async () => {
      expect((await askNew('bob/his', TOKENS.bob, 'session-4')).status).toBe(404);
      const path = `/v1/chunks/default/${hashText(chunkHash(randomBytes(40)))}`;
      const reader = await hub.cas('alice/three', TOKENS.aliceRead, 'read');
      expect((await reader.get(path, { 'x-xet-session-id': 'session-5' })).status).toBe(404);
      const { DATABASE_URL, LARDER_DATA } = { DATABASE_URL: hub.databaseUrl, LARDER_DATA: hub.dataDir };
      const shared = await startCasHub({ env: { LARDER_DEDUP_DOMAIN: 'hub', DATABASE_URL, LARDER_DATA } });
      const file = whole(chunksOf(2));
      await (await shared.cas('alice/three', TOKENS.alice)).upload(file);
      expect((await askNew('bob/his', TOKENS.bob, 'session-6', shared)).status).toBe(404);
      expect(names(await answerOf(await askNew('alice/four', TOKENS.alice, 'session-7', shared)))).toEqual(
        namesOf(file),
      );
      const guest = await shared.ask('/api/models/alice/one/xet-write-token/None?create_pr=1', TOKENS.bob);
      const { casUrl, accessToken } = (await guest.json()) as { casUrl: string; accessToken: string };
      const headers = { authorization: `Bearer ${accessToken}`, 'x-xet-session-id': 'session-8' };
      await (await shared.cas('alice/one', TOKENS.alice)).upload(whole(chunksOf(1)));
      expect((await fetch(casUrl + path, { headers })).status).toBe(404);
      await shared.close();
    });
  });

  test('gets another key every week, and the same one from every process within it', async () => {
    const chunks = chunksOf(1);
    await (await hub.cas('alice/one', TOKENS.alice)).upload(whole(chunks));
    const keyNow = async () =>
      (await answerOf(await ask('alice/one', TOKENS.alice, chunks[0] as Buffer))).key;
    const first = await keyNow();
    expect(await keyNow()).toEqual(first);
    nowMs += 7 * 86_400_000;
    expect(await keyNow()).not.toEqual(first);
  });

  test('finds nothing of a condemned xorb, nor is the answer any proof: who lacks the bytes cannot refer to them', async () => {
    const chunks = chunksOf(3);
    const file = whole(chunks);
    const cas = await hub.cas('alice/one', TOKENS.alice);
    await cas.upload(file);
    const stolen = buildShard([file], [], { rangeHash: chunkHash(Buffer.from('a guess')) });
    expect((await cas.post('/v1/shards', stolen)).status).toBe(400);
    expect((await cas.post('/v1/shards', buildShard([file], []))).status).toBe(200); // knows them: no upload is needed
    await hub.app.db.query(`UPDATE xorb SET state = 'condemned' WHERE hash = $1`, [
      hashBytes((file[0] as BuiltTerm).xorb.hash),
    ]);
    expect((await ask('alice/one', TOKENS.alice, chunks[0] as Buffer)).status).toBe(404);
  });
});

describe('one domain for the whole hub', () => {
  test('shares chunks between owners; what was stored before the switch stays readable, and new uploads have another address', async () => {
    const before = await startCasHub();
    const chunks = chunksOf(2);
    await before.createRepo('alice', 'old');
    const oldCas = await before.cas('alice/old', TOKENS.alice);
    await oldCas.upload(whole(chunks));
    const { db, config } = before.app;
    expect(config.LARDER_DEDUP_DOMAIN).toBe('namespace');
    const after = await startCasHub({
      env: { LARDER_DEDUP_DOMAIN: 'hub', DATABASE_URL: before.databaseUrl, LARDER_DATA: before.dataDir },
    });
    await after.createRepo('bob', 'new');
    const [alice, bob] = [await after.cas('alice/old', TOKENS.alice), await after.cas('bob/new', TOKENS.bob)];
    expect(alice.url.replace(after.url, '')).toBe(bob.url.replace(after.url, ''));
    expect(alice.url.replace(after.url, '')).not.toBe(oldCas.url.replace(before.url, ''));
    const read = await (await after.cas('alice/old', TOKENS.alice, 'read')).get(
      `/v1/reconstructions/${(await db.query('SELECT hash FROM xet_file')).rows.map((r) => hashText(r.hash))[0]}`,
    );
    expect(read.status).toBe(200);
    const shared = chunksOf(2);
    await alice.upload(whole(shared));
    const found = await bob.get(`/v1/chunks/default/${hashText(chunkHash(shared[0] as Buffer))}`);
    expect(found.status).toBe(200);
    await after.close();
    await before.close();
  });
});

describe('stock clients with cold caches', () => {
  let hub: Hub;
  let dir: string;
  let db: pg.Client;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'larder-dedup-'));
    hub = await startHub();
    db = new pg.Client({ connectionString: hub.databaseUrl });
    await db.connect();
  });
  afterAll(async () => {
    await db?.end();
    await hub?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const sentWhile = async (work: () => Promise<unknown>): Promise<number> => {
    const stored = async () =>
      Number((await db.query('SELECT coalesce(sum(disk_bytes), 0) AS bytes FROM xorb')).rows[0].bytes);
    const before = await stored();
    await work();
    return (await stored()) - before;
  };
  const upload = (repo: string, file: string, home: string) =>
    hfOk(['upload', repo, file], {
      endpoint: hub.url,
      token: hub.adminToken,
      home: join(dir, home),
    });

  test('an edit of 1 MB in the middle of 256 MiB sends at most 8 MB, and comes back whole', async () => {
    const original = randomBytes(256 * MIB);
    await writeFile(join(dir, 'model.bin'), original);
    expect(await sentWhile(() => upload('admin/base', join(dir, 'model.bin'), 'first'))).toBeGreaterThan(
      255 * MIB,
    );
    const edited = Buffer.from(original);
    randomBytes(1_000_000).copy(edited, 128 * MIB);
    await writeFile(join(dir, 'model.bin'), edited);
    const sent = await sentWhile(() => upload('admin/tuned', join(dir, 'model.bin'), 'second'));
    expect(sent).toBeGreaterThan(1_000_000);
    expect(sent).toBeLessThan(8_000_000);
    await hfOk(['download', 'admin/tuned', 'model.bin', '--local-dir', join(dir, 'down')], {
      endpoint: hub.url,
      token: hub.adminToken,
      home: join(dir, 'third'),
    });
    const down = await readFile(join(dir, 'down', 'model.bin'));
    expect(createHash('sha256').update(down).digest('hex')).toBe(
      createHash('sha256').update(edited).digest('hex'),
    );
  }, 240_000);

  test('a file whose beginning is new and whose rest is stored sends its beginning alone', async () => {
    const rest = randomBytes(24 * MIB);
    const file = join(dir, 'weights.bin');
    await writeFile(file, Buffer.concat([randomBytes(MIB), rest]));
    await upload('admin/step-1', file, 'fourth');
    await writeFile(file, Buffer.concat([randomBytes(MIB), rest]));
    expect(await sentWhile(() => upload('admin/step-2', file, 'fifth'))).toBeLessThan(2 * MIB);
  }, 120_000);

  test('the JavaScript client sends only what is new too', async () => {
    const original = randomBytes(24 * MIB);
    const send = (repo: string, bytes: Buffer) =>
      uploadFile({
        repo: `admin/${repo}`,
        accessToken: hub.adminToken,
        hubUrl: hub.url,
        file: { path: 'w.bin', content: new Blob([new Uint8Array(bytes)]) },
        useXet: true,
      });
    for (const name of ['js-base', 'js-tuned'])
      await fetch(`${hub.url}/api/repos/create`, {
        method: 'POST',
        headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name, type: 'model' }),
      });
    await send('js-base', original);
    for (const edited of [
      [original, randomBytes(MIB)],
      [randomBytes(MIB), original],
    ]) {
      const sent = await sentWhile(() => send('js-tuned', Buffer.concat(edited)));
      expect(sent).toBeGreaterThan(MIB / 2);
      expect(sent).toBeLessThan(6 * MIB);
    }
  }, 120_000);
});
