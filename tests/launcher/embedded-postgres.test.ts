import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#lib/base/embedded-postgres.ts';
import { isAlive, runningPostmaster } from '#lib/base/postmaster.ts';

let parent: string;
let home: string;
let running: EmbeddedPostgres | undefined;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'larder-pg-'));
  chmodSync(parent, 0o755);
  home = join(parent, 'postgres');
});
afterEach(async () => {
  await running?.stop();
  rmSync(parent, { recursive: true, force: true });
});

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}

test('a fresh cluster is durable, checksummed, UTF-8 in C order, on loopback behind a password', async () => {
  running = await startEmbeddedPostgres({ home });
  const settings = await query(
    running.url,
    `SELECT name, setting FROM pg_settings WHERE name IN
      ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums', 'server_encoding', 'listen_addresses') ORDER BY 1`,
  );
  expect(Object.fromEntries(settings.map((row) => [row.name, row.setting]))).toEqual({
    data_checksums: 'on',
    fsync: 'on',
    full_page_writes: 'on',
    listen_addresses: '127.0.0.1',
    server_encoding: 'UTF8',
    synchronous_commit: 'on',
  });
  expect(statSync(join(home, 'password')).mode & 0o777).toBe(0o600);
  const wrong = new URL(running.url);
  wrong.password = 'wrong';
  await expect(query(wrong.toString(), 'SELECT 1')).rejects.toThrow(/password/);
  const [role] = await query(running.url, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
  expect(role).toEqual({ rolsuper: false });
});

test('a second start on the same folder keeps the data, and its process is gone after stop', async () => {
  const first = await startEmbeddedPostgres({ home });
  await query(first.url, 'CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)');
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  running = await startEmbeddedPostgres({ home, port: first.port });
  expect(running.url).toBe(first.url);
  expect(await query(running.url, 'SELECT x FROM kept')).toEqual([{ x: 7 }]);
});

test('a server whose parent was killed is adopted, not started twice', async () => {
  const orphan = await startEmbeddedPostgres({ home });
  running = await startEmbeddedPostgres({ home });
  expect(running).toMatchObject({ adopted: true, pid: orphan.pid, port: orphan.port });
});

test('kill -9 of the server loses no committed row', async () => {
  const first = await startEmbeddedPostgres({ home });
  await query(first.url, 'CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)');
  process.kill(first.pid, 'SIGKILL');
  running = await startEmbeddedPostgres({ home, port: first.port });
  expect(running.adopted).toBe(false);
  expect(await query(running.url, 'SELECT x FROM kept')).toEqual([{ x: 7 }]);
});

test('a lock file whose process number now belongs to another program does not stop the start', async () => {
  const first = await startEmbeddedPostgres({ home });
  const lock = join(home, 'cluster', 'postmaster.pid');
  const text = readFileSync(lock, 'utf8');
  await first.stop();
  writeFileSync(lock, text.replace(String(first.pid), String(process.pid)));
  expect(runningPostmaster(join(home, 'cluster'))).toBeNull();
  running = await startEmbeddedPostgres({ home });
  expect(running.adopted).toBe(false);
});

test('an initdb that was killed half-way is done again', async () => {
  const first = await startEmbeddedPostgres({ home });
  await first.stop();
  rmSync(join(home, 'cluster'), { recursive: true });
  mkdirSync(join(home, 'cluster.draft'));
  writeFileSync(join(home, 'cluster.draft', 'PG_VERSION'), '18');
  running = await startEmbeddedPostgres({ home });
  expect(await query(running.url, 'SELECT 1 AS x')).toEqual([{ x: 1 }]);
});

test('a cluster of another major version is refused by name', async () => {
  const first = await startEmbeddedPostgres({ home });
  await first.stop();
  writeFileSync(join(home, 'cluster', 'PG_VERSION'), '17\n');
  await expect(startEmbeddedPostgres({ home })).rejects.toThrow(/made by Postgres 17/);
});

// Meaningful for root alone: anyone else runs Postgres as themselves.
test.runIf(process.getuid?.() === 0)(
  'root may keep the data below a home that only root may enter',
  async () => {
    const closed = mkdtempSync(join(homedir(), '.larder-pg-'));
    try {
      const postgres = await startEmbeddedPostgres({ home: join(closed, 'postgres') });
      expect(await query(postgres.url, 'SELECT 1 AS x')).toEqual([{ x: 1 }]);
      expect(statSync(`/proc/${postgres.pid}`).uid).not.toBe(0);
      await postgres.stop();
    } finally {
      rmSync(closed, { recursive: true, force: true });
    }
  },
);
