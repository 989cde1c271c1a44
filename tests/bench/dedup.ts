import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { cutChunks } from '#lib/repos/files/xet/cut-chunks.ts';
import { chunkHash } from '#lib/repos/files/xet/hashes.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { type Family, families } from './families.ts';
import type { Figure } from './main.ts';

const EDITED_BYTES = Number(process.env.BENCH_DEDUP_BYTES ?? 1024 ** 3);
const PIECE = 64 * 1024 * 1024;
const run = promisify(execFile);

/** Uploads as somebody who never uploaded before: nothing remembered of earlier ones. */
async function uploadCold(hub: Hub, dir: string, repo: string, file: string): Promise<void> {
  const python = process.env.LARDER_TEST_PYTHON;
  if (!python) throw new Error('LARDER_TEST_PYTHON is not set: run through npm run bench');
  const home = await mkdtemp(join(dir, 'home-'));
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    HF_HOME: home,
    HF_ENDPOINT: hub.url,
    HF_TOKEN: hub.adminToken,
  };
  await run(join(python, '..', 'hf'), ['upload', repo, file], { env: env as unknown as NodeJS.ProcessEnv });
  await rm(home, { recursive: true });
}

async function storedBytes(db: pg.Client): Promise<{ raw: number; disk: number }> {
  const { rows } = await db.query(
    'SELECT coalesce(sum(raw_bytes), 0) AS raw, coalesce(sum(disk_bytes), 0) AS disk FROM xorb',
  );
  return { raw: Number(rows[0].raw), disk: Number(rows[0].disk) };
}

/** Uploads a family file by file, each to a repo of its own; compares with the distinct chunks of the reference chunking. */
async function benchFamily(hub: Hub, db: pg.Client, dir: string, family: Family): Promise<Figure> {
  const before = await storedBytes(db);
  const distinct = new Map<string, number>();
  let logical = 0;
  let files = 0;
  for (const { name, bytes } of family.members()) {
    let start = 0;
    for (const end of cutChunks(bytes, true)) {
      distinct.set(chunkHash(bytes.subarray(start, end)).toString('latin1'), end - start);
      start = end;
    }
    const path = join(dir, name);
    await writeFile(path, bytes);
    await uploadCold(hub, dir, `admin/${name.replaceAll('.', '-')}`, path);
    await rm(path);
    logical += bytes.length;
    files += 1;
  }
  const after = await storedBytes(db);
  const ideal = [...distinct.values()].reduce((sum, bytes) => sum + bytes, 0);
  const [raw, disk] = [after.raw - before.raw, after.disk - before.disk];
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return {
    name: `stored over reference chunking, ${family.name}`,
    value: raw / ideal,
    unit: 'times',
    limit: 1.05,
    good: 'at most',
    detail: `${files} files, ${mb(logical)}: ${mb(raw)} of chunks (reference ${mb(ideal)}), ${mb(disk)} on disk`,
  };
}

/** A random file, then the same with 1 MB in its middle replaced, from another machine. */
async function benchEdit(hub: Hub, db: pg.Client, dir: string): Promise<Figure> {
  const path = join(dir, 'edited.bin');
  const file = await open(path, 'w+');
  for (let at = 0; at < EDITED_BYTES; at += PIECE)
    await file.write(randomBytes(Math.min(PIECE, EDITED_BYTES - at)), 0, undefined, at);
  await uploadCold(hub, dir, 'admin/edited', path);
  const before = await storedBytes(db);
  await file.write(randomBytes(1_000_000), 0, undefined, EDITED_BYTES / 2);
  await file.close();
  await uploadCold(hub, dir, 'admin/edited-again', path);
  const sent = (await storedBytes(db)).disk - before.disk;
  return {
    name: 'sent after an edit of 1 MB',
    value: sent / 1e6,
    unit: 'MB',
    limit: 8,
    good: 'at most',
    detail: `in the middle of ${(EDITED_BYTES / 2 ** 30).toFixed(2)} GiB, by a client that had never uploaded`,
  };
}

/** What the dedup query is worth: three synthetic families and an edit, every upload with cold caches. */
export async function benchDedup(): Promise<Figure[]> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-bench-'));
  const hub = await startHub({ env: { LOG_LEVEL: 'warn' } });
  const db = new pg.Client({ connectionString: hub.databaseUrl });
  await db.connect();
  try {
    const figures: Figure[] = [];
    for (const family of families) figures.push(await benchFamily(hub, db, dir, family));
    figures.push(await benchEdit(hub, db, dir));
    return figures;
  } finally {
    await db.end();
    await hub.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
