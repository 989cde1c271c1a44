import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalStore } from '#lib/storage/local-store.ts';
import { hashesOf } from '../clients/files.ts';
import { hfOk } from '../clients/python.ts';
import { startChild } from '../support/child.ts';
import { type Hub, startHub } from '../support/hub.ts';

const MIB = 1024 * 1024;
let hub: Hub;
let dir: string;
let db: pg.Client;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-convert-'));
  hub = await startHub();
  db = new pg.Client({ connectionString: hub.databaseUrl });
  await db.connect();
});
afterAll(async () => {
  await db?.end();
  await hub?.stop();
  await rm(dir, { recursive: true, force: true });
});

const client = (home: string, env: Record<string, string> = {}) => ({
  endpoint: hub.url,
  token: hub.adminToken,
  home: join(dir, home),
  env,
});
const PLAIN = { HF_HUB_DISABLE_XET: '1' };
const forms = async (repo: string) => {
  const { rows } = await db.query<{ whole: number; chunks: number }>(
    `SELECT count(e.object_id)::int AS whole, count(e.xet_file_id)::int AS chunks
     FROM repo_file e JOIN repo r ON r.id = e.repo_id WHERE r.name = $1`,
    [repo],
  );
  return rows[0];
};
async function convert(repo: string, failpoints?: string): Promise<{ code: number | null; output: string }> {
  const id = (await db.query(`SELECT id FROM repo WHERE name = $1`, [repo])).rows[0].id as string;
  const child = startChild(['tests/xet/convert-child.ts', id], {
    NODE_ENV: 'production',
    DATABASE_URL: hub.databaseUrl,
    LARDER_DATA: hub.dataDir,
    LOG_LEVEL: 'info',
    ...(failpoints && { LARDER_FAILPOINTS: failpoints }),
  });
  const code = await child.exited;
  return { code: code as unknown as number | null, output: child.logs() };
}
async function readByEveryDoor(repo: string, expected: Record<string, string>, label: string): Promise<void> {
  for (const [way, env] of Object.entries({ xet: {}, plain: PLAIN })) {
    const target = join(dir, `down-${label}-${way}`);
    await hfOk(['download', `admin/${repo}`, '--local-dir', target], client(`home-${label}-${way}`, env));
    const { '.gitattributes': _, ...files } = await hashesOf(target);
    expect(files).toEqual(expected);
  }
  const authorization = `Bearer ${hub.adminToken}`;
  for (const [name, oid] of Object.entries(expected)) {
    const answer = await fetch(`${hub.url}/admin/${repo}.git/info/lfs/objects/batch`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/vnd.git-lfs+json' },
      body: JSON.stringify({ operation: 'download', objects: [{ oid, size: 1 }] }),
    });
    const { objects } = (await answer.json()) as { objects: { actions: { download: { href: string } } }[] };
    const bytes = await (await fetch(objects[0]?.actions.download.href as string)).arrayBuffer();
    expect(createHash('sha256').update(Buffer.from(bytes)).digest('hex'), name).toBe(oid);
  }
}

test('a file that came whole is cut as hf_xet cuts it, loses no byte at any door when the process dies anywhere, and shares chunks with what is there', async () => {
  const folder = join(dir, 'content');
  await mkdir(folder);
  const weights = Buffer.from(new Float32Array(2 * MIB).map(() => Math.random() / 50).buffer);
  const random = randomBytes(3 * MIB + 1234);
  const files: Record<string, Buffer> = {
    'weights.bin': weights,
    'random.bin': random,
    'variant.bin': Buffer.concat([
      randomBytes(500_000), // a new beginning, so that asking about the first chunk finds nothing
      random.subarray(0, 2 * MIB),
      randomBytes(500_000),
      random.subarray(2 * MIB),
    ]),
    'small.bin': randomBytes(1000),
    'zeros.bin': Buffer.alloc(MIB),
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  const expected = await hashesOf(folder);
  await hfOk(['upload', 'admin/whole', folder], client('up', PLAIN));
  expect(await forms('whole')).toEqual({ whole: 5, chunks: 0 });

  for (const point of [
    'convert.stored',
    'convert.verified',
    'convert.before-commit',
    'convert.after-commit',
  ]) {
    const died = await convert('whole', `${point}=exit`);
    expect(died.output).toContain(`failpoint ${point}`);
    const at = point === 'convert.after-commit' ? 1 : 0;
    expect(await forms('whole')).toEqual({ whole: 5 - at, chunks: at });
  }
  const { output } = await convert('whole');
  expect(output).toContain('converted 3');
  expect(await forms('whole')).toEqual({ whole: 1, chunks: 4 }); // the small one stays whole
  expect((await convert('whole')).output).toContain('converted 0');
  await readByEveryDoor('whole', expected, 'after');

  const unneeded = await db.query(
    `SELECT count(*)::int AS n FROM stored_object o WHERE sha256 IS NOT NULL AND NOT EXISTS (SELECT 1 FROM repo_file e WHERE e.object_id = o.id)`,
  );
  expect(unneeded.rows[0].n).toBe(4); // the originals are left to garbage collection
  const { rows } = await db.query<{ raw: string; disk: string }>(
    'SELECT sum(raw_bytes) AS raw, sum(disk_bytes) AS disk FROM xorb',
  );
  const distinct = weights.length + random.length + 1_000_000 + 131_072;
  expect(Number(rows[0]?.raw)).toBeLessThan(distinct + 400_000);
  expect(Number(rows[0]?.disk)).toBeLessThan(distinct - 300_000); // float32 compresses by columns

  // the same bytes from the stock client make the same file ids, and bring nothing new
  const before = Number(rows[0]?.raw);
  await hfOk(['upload', 'admin/again', folder], client('again'));
  const ids = await db.query(
    `SELECT sha256, count(DISTINCT hash)::int AS ids FROM xet_file GROUP BY sha256 HAVING count(DISTINCT hash) > 1`,
  );
  expect(ids.rowCount).toBe(0);
  const after = await db.query<{ raw: string }>('SELECT sum(raw_bytes) AS raw FROM xorb');
  expect(Number(after.rows[0]?.raw) - before).toBeLessThan(10_000); // the small file
}, 240_000);

test('an object that is not what it should be is left whole, and the others of the repo are converted', async () => {
  const folder = join(dir, 'damaged');
  await mkdir(folder);
  for (const name of ['a.bin', 'b.bin']) await writeFile(join(folder, name), randomBytes(300_000));
  await hfOk(['upload', 'admin/damaged', folder], client('damaged-up', PLAIN));
  const key = (
    await db.query(
      `SELECT o.key FROM repo_file e JOIN repo r ON r.id = e.repo_id JOIN stored_object o ON o.id = e.object_id WHERE r.name = 'damaged' ORDER BY e.sha256 LIMIT 1`,
    )
  ).rows[0].key as string;
  const store = await createLocalStore(join(hub.dataDir, 'objects'));
  await store.delete([key]);
  await store.put(key, Readable.from([randomBytes(300_000)]), { sizeBytes: 300_000 });
  expect((await convert('damaged')).output).toContain('converted 1');
  expect(await forms('damaged')).toEqual({ whole: 1, chunks: 1 });
});
