import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hf } from '../clients/python.ts';
import { type BuiltTerm, buildShard, buildXorb, contentOf, sha256Of } from '../xet/build.ts';
import { type CasHub, startCasHub, TOKENS } from '../xet/cas-hub.ts';

const LIMIT = 100_000;
const ADMIN = `hf_${'d'.repeat(40)}`;
let hub: CasHub;
let dir: string;
let n = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-quota-'));
  hub = await startCasHub({ env: { LARDER_QUOTA_USER_BYTES: String(LIMIT), LARDER_ADMIN_TOKEN: ADMIN } });
});
afterAll(async () => {
  await hub?.close();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await hub.app.db.query('UPDATE repo SET deleted_at = now()');
  await hub.app.db.query('DELETE FROM storage_quota');
});

const json = (body: unknown, method = 'POST'): RequestInit => ({
  method,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});
const terms = (bytes: number): BuiltTerm[] => [{ xorb: buildXorb([randomBytes(bytes)]), start: 0, end: 1 }];
async function newRepo(): Promise<string> {
  const name = `r${++n}`;
  await hub.createRepo('alice', name);
  return `alice/${name}`;
}
async function used(ns = 'alice'): Promise<number> {
  const answer = await hub.ask(`/api/storage/${ns}`, ns === 'alice' ? TOKENS.alice : TOKENS.bob);
  return ((await answer.json()) as { usedBytes: number }).usedBytes;
}
async function fill(repo: string, bytes: number): Promise<BuiltTerm[]> {
  const file = terms(bytes);
  const answer = await (await hub.cas(repo, TOKENS.alice)).upload(file);
  expect(answer.status, await answer.clone().text()).toBe(200);
  return file;
}
const commit = (repo: string, lines: { key: string; value: unknown }[]) =>
  hub.ask(`/api/models/${repo}/commit/main`, TOKENS.alice, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: [{ key: 'header', value: { summary: 'x' } }, ...lines].map((l) => JSON.stringify(l)).join('\n'),
  });
const lfsLine = (file: BuiltTerm[]) => ({
  key: 'lfsFile',
  value: { path: 'w.bin', algo: 'sha256', oid: sha256Of(contentOf(file)), size: contentOf(file).length },
});
const batch = async (repo: string, size: number, oid = randomBytes(32).toString('hex')) => {
  const answer = await hub.ask(`/${repo}.git/info/lfs/objects/batch`, TOKENS.alice, {
    ...json({ operation: 'upload', objects: [{ oid, size }] }),
    headers: { 'content-type': 'application/vnd.git-lfs+json' },
  });
  return ((await answer.json()) as { objects: { error?: { code: number; message: string } }[] }).objects[0];
};
const setLimit = (path: string, limitBytes: number | null, token = ADMIN) =>
  hub.ask(`/api/admin/quotas/${path}`, token, json({ limitBytes }, 'PUT'));

describe('what counts', () => {
  test('is every distinct large file of every live repo once, at once after uploads, permanent deletions and the deletion of a repo', async () => {
    const [one, two] = [await newRepo(), await newRepo()];
    const file = await fill(one, 30_000);
    await fill(two, 20_000);
    expect(await used()).toBe(50_000);
    expect((await (await hub.cas(one, TOKENS.alice)).upload(file)).status).toBe(200);
    expect(await used()).toBe(50_000);
    const sha256 = sha256Of(contentOf(file));
    const gone = await hub.ask(
      `/api/models/${one}/lfs-files/batch`,
      TOKENS.alice,
      json({ deletions: { sha: [sha256], rewriteHistory: true } }),
    );
    expect(gone.status, await gone.text()).toBe(200);
    expect(await used()).toBe(20_000);
    await hub.ask('/api/repos/delete', TOKENS.alice, json({ name: two.split('/')[1] }, 'DELETE'));
    expect(await used()).toBe(0);
    const drift = await hub.app.db.query(
      `SELECT 1 FROM repo_storage s FULL JOIN (SELECT repo_id, sum(size_bytes) AS bytes, count(*) AS files FROM repo_file
       GROUP BY repo_id) e USING (repo_id)
       WHERE s.logical_bytes <> coalesce(e.bytes, 0) OR s.file_count <> coalesce(e.files, 0) OR s.repo_id IS NULL`,
    );
    expect(drift.rowCount).toBe(0);
  });
});

describe('what does not fit is refused', () => {
  test('at every door: token, preupload, LFS batch, a body whose link is older, shard, commit; what takes away passes', async () => {
    const repo = await newRepo();
    const early = await hub.cas(repo, TOKENS.alice);
    const oid = sha256Of(Buffer.alloc(50_000));
    const answer = await hub.ask(`/${repo}.git/info/lfs/objects/batch`, TOKENS.alice, {
      ...json({ operation: 'upload', objects: [{ oid, size: 50_000 }] }),
      headers: { 'content-type': 'application/vnd.git-lfs+json' },
    });
    const link = ((await answer.json()) as { objects: { actions: { upload: { href: string } } }[] })
      .objects[0]?.actions.upload.href as string;
    const file = await fill(repo, 60_000);
    expect((await commit(repo, [lfsLine(file)])).status).toBe(200);

    const put = await fetch(link, { method: 'PUT', body: new Uint8Array(50_000) });
    expect(put.status).toBe(413);
    const shard = await early.upload(terms(50_000));
    expect([shard.status, (await shard.json()) as { error: string }]).toEqual([
      413,
      expect.objectContaining({
        error: expect.stringMatching(
          /^The storage of alice is full: 60\.0 kB of 100 kB are used; this needs 50\.0 kB more\. Delete .* ask an administrator/,
        ),
        usedBytes: 60_000,
        limitBytes: LIMIT,
      }),
    ]);
    expect((await batch(repo, 50_000))?.error).toMatchObject({ code: 413 });
    expect((await batch(repo, 40_000))?.error).toBeUndefined();
    const ask = (size: number) =>
      hub.ask(
        `/api/models/${repo}/preupload/main`,
        TOKENS.alice,
        json({ files: [{ path: 'x.bin', size, sample: Buffer.alloc(8).toString('base64') }] }),
      );
    expect((await ask(50_000)).status).toBe(413);
    expect((await ask(60_000)).status).toBe(200); // may be the file that is here
    expect((await ask(40_000)).headers.get('x-larder-storage')).toBe('used=60000; limit=100000; of=alice');

    expect((await setLimit('alice', 50_000)).status).toBe(200);
    const token = await hub.ask(`/api/models/${repo}/xet-write-token/main`, TOKENS.alice);
    expect([token.status, token.headers.get('x-error-message')]).toEqual([
      413,
      expect.stringContaining('50.0 kB'),
    ]);
    expect((await early.post(`/v1/xorbs/default/${terms(10)[0]?.xorb.hash}`, Buffer.alloc(10))).status).toBe(
      413,
    );
    expect(
      (await commit(repo, [{ ...lfsLine(file), value: { ...lfsLine(file).value, path: 'again.bin' } }]))
        .status,
    ).toBe(413);
    expect((await commit(repo, [{ key: 'deletedFile', value: { path: 'w.bin' } }])).status).toBe(200);
    expect((await setLimit('alice', null)).status).toBe(200);
    expect((await early.upload(terms(40_000))).status).toBe(200);
  });

  test('also by copying files, duplicating a repo and moving one to another owner; an empty repo may always move', async () => {
    const repo = await newRepo();
    const file = await fill(repo, 60_000);
    const copy = await hub.ask(
      `/api/models/${repo}/duplicate`,
      TOKENS.alice,
      json({ repository: `alice/copy-${n}` }),
    );
    expect(copy.status).toBe(413);
    const other = await newRepo();
    const target = { type: 'model', name: other };
    const duplicate = () =>
      hub.ask(
        `/api/models/${repo}/lfs-files/duplicate`,
        TOKENS.alice,
        json({ target, files: [{ sha256: sha256Of(contentOf(file)), filename: 'w.bin', xetHash: null }] }),
      );
    expect((await duplicate()).status).toBe(413);
    await setLimit(`models/${other}`, 0);
    expect((await duplicate()).status).toBe(413);
    await setLimit('alice', 0);
    expect((await duplicate()).status).toBe(200);
    expect(await used()).toBe(120_000);

    const team = `team${n}`;
    const org = await hub.ask('/api/organizations', TOKENS.alice, json({ name: team }));
    expect(org.status).toBe(201);
    await setLimit(team, 50_000);
    const move = (from: string) =>
      hub.ask(
        '/api/repos/move',
        TOKENS.alice,
        json({ fromRepo: from, toRepo: `${team}/${from.split('/')[1]}`, type: 'model' }),
      );
    expect((await move(repo)).status).toBe(413);
    const moved = await move(await newRepo());
    expect(moved.status, await moved.text()).toBe(200);
  });

  test('exactly: of ten uploads at once that would fit alone, as many pass as fit together', async () => {
    const repos = [await newRepo(), await newRepo()];
    const doors = await Promise.all(repos.map((repo) => hub.cas(repo, TOKENS.alice)));
    const files = Array.from({ length: 10 }, () => terms(30_000));
    const answers = await Promise.all(
      files.map(async (file, i) => {
        const door = doors[i % 2] as (typeof doors)[0];
        const xorb = (file[0] as BuiltTerm).xorb;
        await door.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
        return (await door.post('/v1/shards', buildShard([file], [xorb]))).status;
      }),
    );
    expect(answers.filter((status) => status === 200)).toHaveLength(3);
    expect(answers.filter((status) => status === 413)).toHaveLength(7);
    expect(await used()).toBe(90_000);
  });
});

describe('who sets limits', () => {
  test('administrators of the hub alone, for users, organizations and repos; nobody else sees what another stores', async () => {
    const repo = await newRepo();
    expect((await setLimit('alice', 1, TOKENS.alice)).status).toBe(403);
    expect((await setLimit('alice', -1)).status).toBe(400);
    expect((await setLimit('nobody-here', 1)).status).toBe(404);
    expect((await setLimit(`models/${repo}`, 10)).status).toBe(200);
    await expect(
      fill(repo, 20).catch((error) => {
        throw new Error(String(error).slice(0, 300));
      }),
    ).rejects.toThrow(/10 B/);
    expect((await hub.ask('/api/storage/alice', TOKENS.bob)).status).toBe(403);
    expect((await hub.ask('/api/storage/alice', null)).status).toBe(401);
    expect((await hub.ask('/api/storage/alice', ADMIN)).status).toBe(200);
    const audited = await hub.app.db.query(
      `SELECT subject, details FROM audit_event WHERE action = 'quota.set' ORDER BY id DESC LIMIT 1`,
    );
    expect(audited.rows[0]).toMatchObject({ subject: `model:${repo}`, details: { limitBytes: 10 } });
  });
});

describe('hf upload', () => {
  test('prints what is used, the limit and what to do, and before that a warning', async () => {
    const repo = await newRepo();
    await fill(repo, 85_000);
    const path = join(dir, 'big.bin');
    await writeFile(path, randomBytes(20_000));
    const options = { endpoint: hub.url, token: TOKENS.alice, home: join(dir, 'home') };
    const refused = await hf(['upload', repo, path], options);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr + refused.stdout).toMatch(
      /The storage of alice is full: 85\.0 kB of 100 kB are used; this needs 20\.0 kB more/,
    );
    await writeFile(path, randomBytes(2_000));
    const warned = await hf(['upload', repo, path], options);
    expect(warned.code, warned.stderr).toBe(0);
    expect(warned.stderr).toContain('The storage of alice is 85 % full: 15.0 kB of 100 kB are left.');
  });
});

describe('the browser', () => {
  test('hears before the first byte what is used and what does not fit, and is held to it', async () => {
    const repo = await newRepo();
    await fill(repo, 60_000);
    const preflight = async (...sizes: number[]) => {
      const files = sizes.map((sizeBytes, i) => ({
        path: `${i}.bin`,
        sizeBytes,
        sample: Buffer.alloc(8).toString('base64'),
      }));
      const body = json({ revision: 'main', createPr: false, files });
      const answer = await hub.ask(`/api/models/${repo}/upload-preflight`, TOKENS.alice, body);
      expect(answer.status).toBe(200);
      return (await answer.json()) as { refused: string | null; room?: unknown };
    };
    const room = { what: 'user', name: 'alice', usedBytes: 60_000, limitBytes: LIMIT };
    expect(await preflight(30_000)).toMatchObject({ refused: null, room });
    expect(await preflight(30_000, 20_000)).toMatchObject({
      refused: expect.stringContaining('this needs 50.0 kB more'),
      room,
    });
    const begin = (bytes: number) =>
      hub.ask(`/api/models/${repo}/tus`, TOKENS.alice, {
        method: 'POST',
        headers: {
          'tus-resumable': '1.0.0',
          'upload-length': String(bytes),
          'upload-metadata': `path ${Buffer.from('x.bin').toString('base64')},revision ${Buffer.from('main').toString('base64')}`,
        },
      });
    expect((await begin(50_000)).status).toBe(413);
    expect((await begin(30_000)).status).toBe(201);
  });
});
