import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { cutChunks } from '#lib/repos/files/xet/cut-chunks.ts';
import { chunkHash } from '#lib/repos/files/xet/hashes.ts';
import { startCountingProxy } from '#tests/clients/counting-proxy.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { type Family, families } from './families.ts';
import type { Figure } from './main.ts';

const EDITED_BYTES = Number(process.env.BENCH_DEDUP_BYTES ?? 1024 ** 3);
const PIECE = 64 * 1024 * 1024;
const run = promisify(execFile);

/** A family comes from one machine that remembers what it sent, or each file from another that remembers nothing. */
type Caches = 'warm' | 'cold';
/** Stored over used at most: xorbs of which half is used are not repacked (LARDER_GC_REPACK_PERCENT). */
const REPACKED_ABOVE = 2;

const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

/** Uploads with the stock client, whose memory of earlier uploads is below `home`. */
async function upload(hub: Pick<Hub, 'url' | 'adminToken'>, home: string, repo: string, file: string) {
  const python = process.env.LARDER_TEST_PYTHON;
  if (!python) throw new Error('LARDER_TEST_PYTHON is not set: run through npm run bench');
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    HF_HOME: home,
    HF_ENDPOINT: hub.url,
    HF_TOKEN: hub.adminToken,
  };
  await run(join(python, '..', 'hf'), ['upload', repo, file], { env: env as unknown as NodeJS.ProcessEnv });
}

/** A hub and its database for the while of `work`. */
async function withHub<T>(work: (hub: Hub, db: pg.Client) => Promise<T>, worker = false): Promise<T> {
  const hub = await startHub({ env: { LOG_LEVEL: 'warn' }, worker });
  const db = new pg.Client({ connectionString: hub.databaseUrl });
  await db.connect();
  try {
    return await work(hub, db);
  } finally {
    await db.end();
    await hub.stop();
  }
}

async function storedBytes(db: pg.Client): Promise<{ raw: number; disk: number }> {
  const { rows } = await db.query(
    'SELECT coalesce(sum(raw_bytes), 0) AS raw, coalesce(sum(disk_bytes), 0) AS disk FROM xorb',
  );
  return { raw: Number(rows[0].raw), disk: Number(rows[0].disk) };
}

/** A family on disk, and how many bytes its distinct chunks have when the reference chunking cuts it. */
interface Written {
  readonly name: string;
  readonly paths: readonly string[];
  readonly logical: number;
  readonly distinct: number;
}

async function write(family: Family, dir: string): Promise<Written> {
  const distinct = new Map<string, number>();
  const paths: string[] = [];
  let logical = 0;
  for (const { name, bytes } of family.members()) {
    let start = 0;
    for (const end of cutChunks(bytes, true)) {
      distinct.set(chunkHash(bytes.subarray(start, end)).toString('latin1'), end - start);
      start = end;
    }
    const path = join(dir, name);
    await writeFile(path, bytes);
    paths.push(path);
    logical += bytes.length;
  }
  const sum = [...distinct.values()].reduce((total, bytes) => total + bytes, 0);
  return { name: family.name, paths, logical, distinct: sum };
}

const repoOf = (path: string) => `admin/${basename(path).replaceAll('.', '-')}`;

/** Uploads a family file by file, each to a repo of its own of one namespace. */
async function benchFamily(
  hub: Hub,
  db: pg.Client,
  dir: string,
  family: Written,
  caches: Caches,
): Promise<Figure> {
  const before = await storedBytes(db);
  const ofMachine = await mkdtemp(join(dir, 'home-'));
  for (const path of family.paths) {
    const home = caches === 'warm' ? ofMachine : await mkdtemp(join(dir, 'home-'));
    await upload(hub, home, repoOf(path), path);
  }
  const after = await storedBytes(db);
  const [raw, disk] = [after.raw - before.raw, after.disk - before.disk];
  return {
    name: `stored, ${family.name}, ${caches} caches`,
    value: raw / family.distinct,
    unit: 'times',
    limit: 1.05,
    good: 'at most',
    detail: `${family.paths.length} files, ${mb(family.logical)}: ${mb(raw)} of chunks (reference ${mb(family.distinct)}), ${mb(disk)} on disk`,
  };
}

/** Waits until the worker has shared the chunks, then collects garbage as if all clients had forgotten what they sent. */
async function afterwards(hub: Hub, db: pg.Client): Promise<void> {
  const waiting = `SELECT 1 FROM pgboss.job WHERE name = 'xet.chunks-uploaded' AND state <> 'completed' LIMIT 1`;
  while ((await db.query(waiting)).rows.length > 0) await new Promise((later) => setTimeout(later, 200));
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: hub.databaseUrl,
    LARDER_DATA: hub.dataDir,
    LOG_LEVEL: 'warn',
  };
  await run(process.execPath, ['workers/gc.ts', '--now', '--drop-pins', '--force'], {
    env: env as unknown as NodeJS.ProcessEnv,
  });
}

/**
 * The families again, all files of each by as many machines at once, when nobody can know what the others bring; and what
 * is left of it when a worker has shared the chunks and garbage was collected.
 */
async function benchAtOnce(
  hub: Hub,
  db: pg.Client,
  dir: string,
  written: readonly Written[],
): Promise<Figure> {
  for (const { paths } of written)
    await Promise.all(
      paths.map(async (path) => upload(hub, await mkdtemp(join(dir, 'home-')), repoOf(path), path)),
    );
  const before = await storedBytes(db);
  await afterwards(hub, db);
  const after = await storedBytes(db);
  const distinct = written.reduce((sum, family) => sum + family.distinct, 0);
  return {
    name: 'stored, all families, each sent at once',
    value: after.raw / distinct,
    unit: 'times',
    limit: REPACKED_ABOVE,
    good: 'at most',
    detail: `${mb(before.raw)} of chunks came, ${mb(after.raw)} are left when they were shared and collected (reference ${mb(distinct)}), ${mb(after.disk)} on disk`,
  };
}

/** A random file, then the same with 1 MB in its middle replaced, from another machine. */
async function benchEdit(hub: Hub, dir: string): Promise<Figure> {
  const path = join(dir, 'edited.bin');
  const file = await open(path, 'w+');
  for (let at = 0; at < EDITED_BYTES; at += PIECE)
    await file.write(randomBytes(Math.min(PIECE, EDITED_BYTES - at)), 0, undefined, at);
  await upload(hub, await mkdtemp(join(dir, 'home-')), 'admin/edited', path);
  await file.write(randomBytes(1_000_000), 0, undefined, EDITED_BYTES / 2);
  await file.close();
  const proxy = await startCountingProxy(hub.url);
  const { adminToken } = hub;
  await upload({ url: proxy.url, adminToken }, await mkdtemp(join(dir, 'home-')), 'admin/edited-again', path);
  const sent = proxy.sentBytes();
  await proxy.close();
  return {
    name: 'sent after an edit of 1 MB',
    value: sent / 1e6,
    unit: 'MB',
    limit: 8,
    good: 'at most',
    detail: `in the middle of ${(EDITED_BYTES / 2 ** 30).toFixed(2)} GiB, by a client that had never uploaded`,
  };
}

/** What deduplication is worth: three synthetic families uploaded in three ways, and an edit with cold caches. */
export async function benchDedup(): Promise<Figure[]> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-bench-'));
  try {
    const written: Written[] = [];
    for (const family of families) written.push(await write(family, dir));
    const figures: Figure[] = [];
    for (const caches of ['warm', 'cold'] as const)
      await withHub(async (hub, db) => {
        for (const family of written) figures.push(await benchFamily(hub, db, dir, family, caches));
      });
    figures.push(await withHub((hub, db) => benchAtOnce(hub, db, dir, written), true));
    figures.push(await withHub((hub) => benchEdit(hub, dir)));
    return figures;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
