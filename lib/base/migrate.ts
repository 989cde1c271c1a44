import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Queryable } from './db.ts';

/** Prisma's schema engine takes this very lock, so its CLI and we never migrate at once. */
const ADVISORY_LOCK = 72707369;

/** The bookkeeping table exactly as Prisma makes it, so that `prisma migrate status` agrees with us. */
const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY NOT NULL,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;

export interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the file, hex: what Prisma stores. */
  checksum: string;
}

/** The migrations of this version of the product, in the order in which they apply. */
export function readMigrations(
  folder: string = fileURLToPath(new URL('../../prisma/migrations', import.meta.url)),
): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/**
 * Brings the database at `url` up to this version and returns the names of the migrations it applied, oldest
 * first. Any number of processes may call it at once: they wait for one another under an advisory lock.
 *
 * Each migration and its bookkeeping row are one transaction, so a kill half-way leaves nothing and the next
 * call simply repeats it (which is why a migration must not contain statements that refuse a transaction, such
 * as CREATE INDEX CONCURRENTLY). Migrations that a newer version applied are left alone: old code keeps running
 * during a rolling update.
 *
 * Throws an Error that names the migration when one was edited after it was applied, was left half-done by
 * another tool, or fails.
 */
export async function migrate(url: string, migrations: Migration[] = readMigrations()): Promise<string[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'larder migrate',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {}); // the query that is running rejects too, and that one is reported
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    const applied: string[] = [];
    for (const migration of await pending(client, migrations)) {
      await apply(client, migration);
      applied.push(migration.name);
    }
    return applied;
  } finally {
    await client.end(); // the session's end frees the lock
  }
}

/** Names of the migrations that `migrate` would apply now; the same errors as `migrate`. Changes nothing. */
export async function pendingMigrations(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ there: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`,
  );
  const migrations = readMigrations();
  const left = rows[0]?.there ? unapplied(migrations, await readApplied(db)) : migrations;
  return left.map((migration) => migration.name);
}

async function pending(client: pg.Client, migrations: Migration[]): Promise<Migration[]> {
  await client.query(BOOKKEEPING);
  return unapplied(migrations, await readApplied(client));
}

interface Applied {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

async function readApplied(db: Queryable): Promise<Applied[]> {
  const { rows } = await db.query<Applied & pg.QueryResultRow>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  return rows;
}

function unapplied(migrations: Migration[], applied: Applied[]): Migration[] {
  const byName = new Map(applied.map((row) => [row.migration_name, row]));
  return migrations.filter((migration) => {
    const row = byName.get(migration.name);
    if (!row) return true;
    if (!row.finished_at)
      throw new Error(
        `migration ${migration.name} was begun by another tool and never finished: look at _prisma_migrations.logs, put the schema right, then run "npx prisma migrate resolve"`,
      );
    if (row.checksum !== migration.checksum)
      throw new Error(
        `migration ${migration.name} was edited after it was applied: restore the file and put the change in a new migration`,
      );
    return false;
  });
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = '10s'`); // rather fail and retry than hold up every reader
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}); // a dead connection has rolled back by itself
    throw new Error(`migration ${name} failed: ${(error as Error).message}`, { cause: error });
  }
}
