import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import { checkFiles, type FilesToCheck } from '#lib/repos/check/check-files.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import type { Finding } from '#lib/repos/check/finding.ts';
import { rebuildXet } from '#lib/repos/check/rebuild-xet.ts';
import { readStoredHealth } from '#lib/repos/files/read-health.ts';
import { scrubObjects } from '#lib/repos/files/scrub-objects.ts';
import { verifyXetFile } from '#lib/repos/files/xet/verify-xet-file.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { type BuiltTerm, buildXorb, contentOf, sha256Of } from '../xet/build.ts';
import { type CasHub, startCasHub, TOKENS } from '../xet/cas-hub.ts';

let hub: CasHub;
let number = 0;
let repo: string;

beforeAll(async () => {
  hub = await startCasHub({ env: { LOG_LEVEL: 'silent' } });
});
afterAll(() => hub?.close());

/** Each test has a repo of its own, and leaves nothing wrong behind. */
beforeEach(async () => {
  repo = `alice/r${++number}`;
  await hub.createRepo('alice', repo.slice(6));
  return async () => expect(await findings({ bytes: { share: 1 } })).toEqual([]);
});

async function all(options: FilesToCheck = {}): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of checkRepos(hub.app, { repos: 0, objects: 0 })) found.push(finding);
  for await (const finding of checkFiles(hub.app, options)) found.push(finding);
  return found;
}
const findings = async (options?: FilesToCheck) => (await all(options)).map(({ code }) => code);

/** Runs every repair once; what they said. */
async function mend(options?: FilesToCheck): Promise<string[]> {
  const fixes = new Map(
    (await all(options)).flatMap(({ fix }) => (fix === null ? [] : [[fix.key, fix] as const])),
  );
  return Promise.all([...fixes.values()].map((fix) => fix.run()));
}

/** Two files over one xorb; the terms of the first. */
async function uploadXet(): Promise<BuiltTerm[]> {
  const xorb = buildXorb([randomBytes(20_000), randomBytes(30_000), randomBytes(9_000)]);
  const terms = [{ xorb, start: 0, end: 3 }];
  const cas = await hub.cas(repo, TOKENS.alice);
  expect((await cas.upload(terms)).status).toBe(200);
  expect((await cas.upload([{ xorb, start: 1, end: 2 }])).status).toBe(200);
  return terms;
}

async function commit(path: string, bytes: Buffer): Promise<void> {
  const lines = [
    { key: 'header', value: { summary: 'x' } },
    { key: 'lfsFile', value: { path, algo: 'sha256', oid: sha256Of(bytes), size: bytes.length } },
  ];
  const answer = await hub.ask(`/api/models/${repo}/commit/main`, TOKENS.alice, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

/** By the LFS batch; null when the repo is said to hold it. */
async function uploadWhole(bytes: Buffer): Promise<number | null> {
  const type = 'application/vnd.git-lfs+json';
  const objects = [{ oid: sha256Of(bytes), size: bytes.length }];
  const answer = await hub.ask(`/${repo}.git/info/lfs/objects/batch`, TOKENS.alice, {
    method: 'POST',
    headers: { 'content-type': type, accept: type },
    body: JSON.stringify({ operation: 'upload', transfers: ['basic'], objects }),
  });
  const batch = (await answer.json()) as { objects: { actions?: { upload: { href: string } } }[] };
  const href = batch.objects[0]?.actions?.upload.href;
  if (href === undefined) return null;
  return (await fetch(href, { method: 'PUT', body: new Uint8Array(bytes) })).status;
}

const read = async (path: string): Promise<Buffer | Record<string, unknown>> => {
  const answer = await hub.ask(`/${repo}/resolve/main/${path}`, TOKENS.alice);
  return answer.ok
    ? Buffer.from(await answer.arrayBuffer())
    : { status: answer.status, ...((await answer.json()) as object) };
};
const sql = async (text: string, ...values: unknown[]): Promise<Record<string, unknown>[]> =>
  (await hub.app.db.query(text, values)).rows;
const keyOfWhole = async (bytes: Buffer) =>
  (
    await sql(
      `SELECT key FROM stored_object WHERE sha256 = decode($1, 'hex') AND state = 'live'`,
      sha256Of(bytes),
    )
  )[0]?.key as string;
const keyOfXorb = async () =>
  (
    await sql(
      'SELECT o.key FROM xorb x JOIN stored_object o ON o.id = x.object_id ORDER BY x.id DESC LIMIT 1',
    )
  )[0]?.key as string;
const pathOf = (key: string) => join(hub.dataDir, 'objects', 'objects', ...key.split('/'));
/** Flips one byte in the middle of a stored object. */
async function rot(key: string): Promise<Buffer> {
  const bytes = await buffer(await hub.app.store.get(key));
  const bad = Buffer.from(bytes);
  bad[bytes.length >> 1] = (bad[bytes.length >> 1] as number) ^ 1;
  await writeFile(pathOf(key), bad);
  return bytes;
}
/** Objects are only looked at again when they are old. */
const scrub = () => scrubObjects(hub.app, new AbortController().signal, { minAgeDays: 0 });

describe('a whole object that was lost or damaged', () => {
  test.each([
    ['is gone', (key: string): Promise<void> => rm(pathOf(key)), 'object-missing'],
    ['lost its tail', (key: string) => writeFile(pathOf(key), 'short'), 'object-size'],
    ['has a flipped bit', async (key: string): Promise<void> => void (await rot(key)), 'object-damaged'],
  ] as const)(
    'and %s: check names it, marks it, readers are told, the same upload heals it',
    async (_, damage, code) => {
      const bytes = randomBytes(40_000);
      expect(await uploadWhole(bytes)).toBe(200);
      await commit('m.bin', bytes);
      expect(await uploadWhole(bytes)).toBeNull();
      await damage(await keyOfWhole(bytes));
      const options = { bytes: { share: 1 } };
      expect(await findings(options)).toEqual([code]);
      expect(await findings(options)).toEqual([code]); // looking changes nothing
      expect(await mend(options)).toEqual(['taken out of use']);
      expect(await read('m.bin')).toMatchObject({
        status: 404,
        error: expect.stringContaining('upload it again'),
      });
      expect(new Set(await findings())).toEqual(new Set(['file-not-held', 'edge-dead', 'object-lost']));
      expect(await readStoredHealth(hub.app.db)).toMatchObject({ lost: 1 });
      expect(await uploadWhole(bytes)).toBe(200);
      expect(await read('m.bin')).toEqual(bytes);
      await sql(`DELETE FROM stored_object WHERE state = 'lost'`); // as the garbage collector does
    },
  );

  test('is in use again when somebody puts it back', async () => {
    const bytes = randomBytes(10_000);
    await uploadWhole(bytes);
    await commit('m.bin', bytes);
    const key = await keyOfWhole(bytes);
    await rm(pathOf(key));
    await mend();
    await hub.app.store.put(key, bytes, { sizeBytes: bytes.length });
    expect(await findings()).toContain('object-back');
    expect(await mend()).toContain('in use again');
    expect(await read('m.bin')).toEqual(bytes);
  });

  test('is read as a Xet file when it is held in both ways', async () => {
    const terms = await uploadXet();
    const bytes = contentOf(terms);
    await commit('m.bin', bytes);
    const key = newObjectKey('blob');
    await hub.app.store.put(key, bytes, { sizeBytes: bytes.length });
    await sql(
      `WITH o AS (INSERT INTO stored_object (key, size_bytes, sha256, state) VALUES ($1, $2, decode($3, 'hex'), 'live') RETURNING id)
       UPDATE repo_file SET object_id = (SELECT id FROM o) WHERE sha256 = decode($3, 'hex')`,
      key,
      bytes.length,
      sha256Of(bytes),
    );
    await rm(pathOf(key));
    await mend();
    expect(await read('m.bin')).toEqual(bytes);
    expect(await findings()).toEqual(['edge-half-dead', 'object-lost']);
    await mend();
    await sql(`DELETE FROM stored_object WHERE state = 'lost'`);
  });
});

describe('a xorb that was lost or damaged', () => {
  test.each([
    ['is gone', (key: string): Promise<void> => rm(pathOf(key))],
    ['has a flipped bit', async (key: string): Promise<void> => void (await rot(key))],
  ] as const)(
    'and %s: the scrub finds it, its domain gets a new epoch, the same upload heals every file in it',
    async (_, damage) => {
      const terms = await uploadXet();
      const bytes = contentOf(terms);
      const other = contentOf([{ ...(terms[0] as BuiltTerm), start: 1, end: 2 }]);
      await commit('m.bin', bytes);
      await commit('n.bin', other);
      const before = (await hub.cas(repo, TOKENS.alice)).url;
      const key = await keyOfXorb();
      await damage(key);
      const { damaged } = await scrub();
      expect(damaged).toEqual([key]);
      expect(await read('m.bin')).toMatchObject({ status: 404 });
      expect(await findings()).toEqual(expect.arrayContaining(['xorb-dead', 'edge-dead', 'object-lost']));
      expect((await hub.cas(repo, TOKENS.alice)).url).not.toBe(before);
      expect((await (await hub.cas(repo, TOKENS.alice)).upload(terms)).status).toBe(200);
      expect(await read('m.bin')).toEqual(bytes);
      expect(await read('n.bin')).toEqual(other);
      for (const { id } of await sql(`SELECT id FROM xet_file WHERE sha256_state = 'unverified'`))
        await verifyXetFile(hub.app, { fileId: id as number });
    },
  );
});

describe('the scrub', () => {
  test('reads what was not read for longest, within its pace, and nothing twice', async () => {
    for (let i = 0; i < 3; i++) await uploadWhole(randomBytes(5_000));
    await sql(
      "UPDATE stored_object SET scrubbed_at = now() - interval '2 days', created_at = now() - interval '3 days'",
    );
    const once = await scrubObjects(hub.app, new AbortController().signal, { minAgeDays: 1 });
    expect(once.objects).toBeGreaterThanOrEqual(3);
    expect(once.damaged).toEqual([]);
    expect(await scrubObjects(hub.app, new AbortController().signal, { minAgeDays: 1 })).toMatchObject({
      objects: 0,
    });
  });
});

describe('rows that are made from others', () => {
  test.each([
    [
      'commits that the index does not know',
      `DELETE FROM commit_index WHERE repo_id = $1`,
      'commit-unindexed',
    ],
    [
      'a commit that the index knows wrongly',
      `UPDATE commit_index SET tree_oid = oid WHERE repo_id = $1`,
      'commit-unindexed',
    ],
    [
      'a pointer whose row is wrong',
      'UPDATE git_object SET lfs_sha256 = NULL, lfs_size = NULL WHERE repo_id = $1',
      'pointer-misread',
    ],
    ['edges of a Xet file to its xorbs', 'DELETE FROM xet_file_xorb WHERE $1 > 0', 'xet-edges-differ'],
    ['logs of Xet files', 'DELETE FROM xet_shard WHERE $1 > 0', 'log-missing'],
  ] as const)('%s are made again', async (_, damage, code) => {
    const terms = await uploadXet();
    await commit('m.bin', contentOf(terms));
    const [{ id }] = (await sql('SELECT id FROM repo ORDER BY id DESC LIMIT 1')) as [{ id: number }];
    await sql(damage, id);
    expect(await findings()).toContain(code);
    await mend();
    expect(await read('m.bin')).toEqual(contentOf(terms));
  });

  test('an edge that was lost is made again while the hub has the bytes', async () => {
    const bytes = randomBytes(2_000);
    await uploadWhole(bytes);
    await commit('m.bin', bytes);
    const first = repo;
    await hub.createRepo('alice', `r${++number}`);
    repo = `alice/r${number}`;
    await uploadWhole(bytes);
    repo = first;
    await sql(
      `DELETE FROM repo_file e USING repo r WHERE r.id = e.repo_id AND r.name = $1 AND e.sha256 = decode($2, 'hex')`,
      repo.slice(6),
      sha256Of(bytes),
    );
    expect(await findings()).toEqual(['file-not-held']);
    expect(await mend()).toEqual(['linked']);
    expect(await read('m.bin')).toEqual(bytes);
  });

  test('an edge to nothing is dropped only when no pointer names the file', async () => {
    const [named, unnamed] = [randomBytes(3_000), randomBytes(4_000)] as const;
    for (const bytes of [named, unnamed]) await uploadWhole(bytes);
    await commit('m.bin', named);
    for (const bytes of [named, unnamed]) await rm(pathOf(await keyOfWhole(bytes)));
    await mend();
    const said = await mend();
    expect(said).toEqual(['dropped']);
    const left = await sql(
      `SELECT encode(sha256, 'hex') AS sha256 FROM repo_file WHERE sha256 IN (decode($1, 'hex'), decode($2, 'hex'))`,
      sha256Of(named),
      sha256Of(unnamed),
    );
    expect(left).toEqual([{ sha256: sha256Of(named) as Sha256 }]);
    await uploadWhole(named);
    await sql(`DELETE FROM stored_object WHERE state = 'lost'`);
  });
});

describe('objects that no row names', () => {
  test('are left alone while they are young, and deleted by --fix when they are not', async () => {
    const key = newObjectKey('blob');
    await hub.app.store.put(key, Buffer.from('garbage'), { sizeBytes: 7 });
    expect(await findings()).toEqual([]);
    const old = { graceMs: -60_000 };
    const found = (await all(old)).filter(({ code }) => code === 'key-unnamed');
    expect(found.map(String).join('\n')).toContain(key);
    expect(found.every(({ isNote }) => isNote)).toBe(true);
    await mend(old);
    expect(await hub.app.store.head(key)).toBeNull();
    expect(await findings(old)).toEqual([]);
  });
});

describe('the Xet tables', () => {
  test('are made again from xorbs and logs after all of them were lost, with every right to read', async () => {
    const terms = await uploadXet();
    await commit('m.bin', contentOf(terms));
    const edges = () =>
      sql(
        `SELECT e.repo_id, encode(e.sha256, 'hex') AS sha256, e.size_bytes FROM repo_file e WHERE e.xet_file_id IS NOT NULL ORDER BY 1, 2`,
      );
    const files = () =>
      sql(
        `SELECT encode(hash, 'hex') AS hash, encode(sha256, 'hex') AS sha256, size_bytes, sha256_state FROM xet_file WHERE sha256_state = 'verified' ORDER BY 1, 2`,
      );
    const chunks = () => sql(`SELECT encode(chunk_hash, 'hex') AS hash FROM chunk_index ORDER BY 1`);
    const before = [await edges(), await files(), await chunks()];
    await sql('DELETE FROM repo_file WHERE xet_file_id IS NOT NULL');
    await sql(`TRUNCATE chunk_index, xet_shard_file, xet_shard, xet_file_xorb, xorb, xet_file CASCADE`);
    // The cascade took every edge; whole files of the other tests are not what this one is about.
    await sql(`DELETE FROM stored_object WHERE key LIKE 'xorb/%' OR key LIKE 'shard/%'`);
    expect(await read('m.bin')).toMatchObject({ status: 404 });
    const made = await rebuildXet(hub.app);
    expect(made).toMatchObject({ lost: 0 });
    expect(made.files).toBeGreaterThan(0);
    for (const { id } of await sql(`SELECT id FROM xet_file WHERE sha256_state = 'unverified'`))
      await verifyXetFile(hub.app, { fileId: id as number });
    expect([await edges(), await files()]).toEqual(before.slice(0, 2));
    // Those of xorbs that were lost and came back are found again too.
    expect(await chunks()).toEqual(expect.arrayContaining(before[2] as unknown[]));
    expect(before[2]).not.toEqual([]);
    await mend(); // TRUNCATE ran no triggers: what repos hold is counted again
    expect(await read('m.bin')).toEqual(contentOf(terms));
    expect((await rebuildXet(hub.app)).xorbs).toBe(0);
    // Whole-file edges went with the cascade: their repos are of no further use.
    await sql(
      `UPDATE repo SET deleted_at = now() WHERE EXISTS (SELECT FROM git_object g WHERE g.repo_id = repo.id AND g.lfs_sha256 IS NOT NULL AND NOT EXISTS (SELECT FROM repo_file e WHERE e.repo_id = g.repo_id AND e.sha256 = g.lfs_sha256))`,
    );
  });
});
