import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { failpoint } from '#lib/base/failpoint.ts';
import { migrate, readMigrations } from '#lib/base/migrate.ts';
import { type Manifest, place } from './backup-folder.ts';
import type { TableDump } from './dump-database.ts';

/** In the table of named secrets: a restore began here and has not ended, so the next one needs no permission. */
export const RESTORING = 'restore in progress';

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');

/** The migrations that the dumped database had; an Error when this version does not know one of them. */
function migrationsOf(manifest: Manifest): ReturnType<typeof readMigrations> {
  const known = new Map(readMigrations().map((migration) => [migration.name, migration]));
  return manifest.migrations.map((name) => {
    const migration = known.get(name);
    if (!migration)
      throw new Error(
        `this backup was made by another version of Larder (migration ${name}): restore with that one`,
      );
    return migration;
  });
}

/** What is in the database, in words; null when nothing of value is. Throws when programs of the hub are connected. */
export async function contentsOf(url: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const others = await client.query<{ application_name: string }>(
      `SELECT DISTINCT application_name FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'larder %'`,
    );
    if (others.rows.length > 0)
      throw new Error(
        `the hub runs (${others.rows.map((row) => row.application_name).join(', ')}): stop server and workers first`,
      );
    const there = await client.query<{ ready: boolean }>(
      `SELECT to_regclass('user_account') IS NOT NULL AS ready`,
    );
    if (!there.rows[0]?.ready) return null;
    const { rows } = await client.query<{ users: number; repos: number; restoring: boolean }>(
      `SELECT (SELECT count(*)::int FROM user_account) AS users, (SELECT count(*)::int FROM repo) AS repos,
              EXISTS (SELECT FROM secret WHERE name = $1) AS restoring`,
      [RESTORING],
    );
    const { users = 0, repos = 0, restoring } = rows[0] ?? {};
    return restoring || (users === 0 && repos === 0) ? null : `${users} users and ${repos} repos`;
  } finally {
    await client.end();
  }
}

/** Leaves nothing of what was there, jobs of the queue included. */
async function empty(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  await client.query('DROP SCHEMA IF EXISTS pgboss CASCADE');
  await client.query('DROP SCHEMA public CASCADE');
  await client.query('CREATE SCHEMA public');
  await client.query('COMMIT');
}

/** Streams one table in; throws, before anything is committed, when the file is damaged or rows are missing. */
async function loadTable(client: pg.Client, dump: string, table: TableDump): Promise<void> {
  const file = place.table(dump, table.name);
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const sink = client.query(copyFrom(`COPY "${table.name}" (${quoted(table.columns)}) FROM STDIN`));
  await pipeline(createReadStream(file), hashing, createGunzip(), sink);
  if (hash.digest('hex') !== table.sha256)
    throw new Error(`${file} is damaged: its SHA-256 is not the manifest's`);
  if (sink.rowCount !== table.rows)
    throw new Error(`${file} holds ${sink.rowCount} rows, the manifest says ${table.rows}`);
}

/**
 * Replaces the whole database at `url` by a dump: schema as it was then, all rows in one transaction, then the
 * migrations that came later. Dying on the way leaves an empty database, or a loaded one that is marked as
 * being restored; running it again is all that is needed.
 */
export async function loadDatabase(
  url: string,
  dump: string,
  manifest: Manifest,
  say: (text: string) => void,
): Promise<void> {
  const migrations = migrationsOf(manifest);
  const client = new pg.Client({ connectionString: url, application_name: 'restore' });
  client.on('error', () => {}); // the query that is running rejects too
  await client.connect();
  try {
    await empty(client);
    await migrate(url, migrations);
    await failpoint('restore.emptied');
    await client.query('BEGIN');
    for (const { name } of manifest.tables) {
      await client.query(`ALTER TABLE "${name}" DISABLE TRIGGER USER`); // their work is in the dump already
      await client.query(`DELETE FROM "${name}"`); // what migrations put there
    }
    for (const table of manifest.tables) {
      say(`table ${table.name}`);
      await loadTable(client, dump, table);
    }
    for (const { name } of manifest.tables) await client.query(`ALTER TABLE "${name}" ENABLE TRIGGER USER`);
    for (const { name, value } of manifest.sequences)
      await client.query('SELECT setval($1::regclass, $2)', [`public."${name}"`, value]);
    await client.query(`INSERT INTO secret (name, value) VALUES ($1, '') ON CONFLICT DO NOTHING`, [
      RESTORING,
    ]);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
  await failpoint('restore.loaded');
  await migrate(url);
}
