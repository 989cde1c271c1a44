import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate, readMigrations } from '#lib/base/migrate.ts';

export interface TestDatabase {
  /** Of a database that only the caller uses. */
  url: string;
  /** Drops it, whoever is still connected. */
  drop(): Promise<void>;
}

/** The server that tests use: what global-setup.ts started, or LARDER_TEST_POSTGRES. */
function testPostgresUrl(): string {
  const url = process.env.LARDER_TEST_POSTGRES;
  if (!url) throw new Error('no Postgres for tests: run them through vitest, or set LARDER_TEST_POSTGRES');
  return url;
}

async function withAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: testPostgresUrl() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(testPostgresUrl());
  url.pathname = `/${database}`;
  return url.toString();
}

/** Migrates a template once per state of prisma/migrations, whoever asks first; a killed attempt is made again. */
async function template(admin: pg.Client): Promise<string> {
  const state = createHash('sha256');
  for (const migration of readMigrations()) state.update(`${migration.name} ${migration.checksum}\n`);
  const name = `larder_template_${state.digest('hex').slice(0, 16)}`;
  const exists = async () =>
    (await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).rowCount === 1;
  if (await exists()) return name;
  await admin.query(`SELECT pg_advisory_lock(hashtext($1))`, [name]);
  if (await exists()) return name;
  await admin.query(`DROP DATABASE IF EXISTS ${name}_draft WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${name}_draft TEMPLATE template0`);
  await migrate(urlOf(`${name}_draft`));
  await admin.query(`ALTER DATABASE ${name}_draft RENAME TO ${name}`);
  return name;
}

/** A database of the caller's own, migrated, in about a tenth of a second: a file copy of a migrated template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `larder_test_${randomBytes(8).toString('hex')}`;
  await withAdmin(async (admin) => {
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${await template(admin)} STRATEGY file_copy`);
  });
  return { url: urlOf(name), drop: () => dropDatabase(name) };
}

/** An empty database of the caller's own: for tests of migrations. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `larder_test_${randomBytes(8).toString('hex')}`;
  await withAdmin((admin) => admin.query(`CREATE DATABASE ${name} TEMPLATE template0`));
  return { url: urlOf(name), drop: () => dropDatabase(name) };
}

/** Tries again while autovacuum, which only a superuser may end, looks at the database. */
async function dropDatabase(name: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; ) {
    try {
      await withAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '42501' || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
