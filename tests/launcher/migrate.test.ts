import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Migration, migrate, readMigrations } from '#lib/base/migrate.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '#tests/support/database.ts';

let database: TestDatabase;
let client: pg.Client;

beforeEach(async () => {
  database = await createEmptyDatabase();
  client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

function migration(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

const FIRST = migration('1_first', 'CREATE TABLE a (x int);');
const SECOND = migration('2_second', 'CREATE TABLE b (x int); INSERT INTO b VALUES (1);');

test('migrations apply in order, once', async () => {
  expect(await migrate(database.url, [FIRST, SECOND])).toEqual(['1_first', '2_second']);
  expect(await migrate(database.url, [FIRST, SECOND])).toEqual([]);
  expect((await client.query('SELECT x FROM b')).rows).toEqual([{ x: 1 }]);
});

test('ten processes that start together apply each migration once', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => migrate(database.url, [FIRST, SECOND])));
  expect(all.flat().sort()).toEqual(['1_first', '2_second']);
  expect((await client.query('SELECT count(*)::int AS n FROM b')).rows[0].n).toBe(1);
});

test('a migration that fails half-way leaves nothing and succeeds when mended', async () => {
  const broken = migration('1_first', 'CREATE TABLE a (x int); CREATE TABLE nonsense (;');
  await expect(migrate(database.url, [broken])).rejects.toThrow(/migration 1_first failed: .*syntax/);
  expect((await client.query(`SELECT to_regclass('a') AS a`)).rows[0].a).toBeNull();
  expect(await migrate(database.url, [FIRST])).toEqual(['1_first']);
});

test('a migration whose connection is killed half-way is repeated by the next start', async () => {
  const slow = migration('1_first', 'CREATE TABLE a (x int); SELECT pg_sleep(30);');
  const attempt = migrate(database.url, [slow]).catch((error: Error) => error);
  for (;;) {
    const { rowCount } = await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'`,
    );
    if (rowCount) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await attempt).toBeInstanceOf(Error);
  expect(await migrate(database.url, [FIRST])).toEqual(['1_first']);
});

test('an edited migration is refused by name', async () => {
  await migrate(database.url, [FIRST]);
  const edited = migration('1_first', 'CREATE TABLE a (x bigint);');
  await expect(migrate(database.url, [edited])).rejects.toThrow('migration 1_first was edited');
});

test('migrations of a newer version are left alone', async () => {
  await migrate(database.url, [FIRST, SECOND]);
  expect(await migrate(database.url, [FIRST])).toEqual([]);
});

test('the real migrations give the template that every test database copies', async () => {
  const copy = await createTestDatabase();
  const tables = new pg.Client({ connectionString: copy.url });
  await tables.connect();
  const { rows } = await tables.query('SELECT migration_name FROM _prisma_migrations ORDER BY 1');
  await tables.end();
  await copy.drop();
  expect(rows.map((row) => row.migration_name)).toEqual(readMigrations().map((m) => m.name));
});
