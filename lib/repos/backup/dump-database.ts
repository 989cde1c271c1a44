import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { type Manifest, place } from './backup-folder.ts';

/** Written by migrations or counted again by triggers. */
const LEFT_OUT = ['_prisma_migrations'];

export type TableDump = Manifest['tables'][number];

/** Tables of ours with their columns, those that others refer to first. */
async function tablesInOrder(client: pg.Client): Promise<{ name: string; columns: string[] }[]> {
  const { rows } = await client.query<{ name: string; columns: string[]; needs: string[] }>(
    `SELECT c.relname AS name,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated = '' ORDER BY a.attnum) AS columns,
       ARRAY(SELECT DISTINCT f.confrelid::regclass::text FROM pg_constraint f
             WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid) AS needs
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relname <> ALL($1) ORDER BY c.relname`,
    [LEFT_OUT],
  );
  const left = new Map(rows.map((row) => [row.name, row]));
  const ordered: { name: string; columns: string[] }[] = [];
  while (left.size > 0) {
    const free = [...left.values()].filter(
      (row) => !row.needs.some((need) => left.has(need.replaceAll('"', ''))),
    );
    if (free.length === 0)
      throw new Error(`tables refer to each other in a circle: ${[...left.keys()].join(', ')}`);
    for (const { name, columns } of free) {
      ordered.push({ name, columns });
      left.delete(name);
    }
  }
  return ordered;
}

/** Streams what a query gives into a compressed file. Returns rows and the file's SHA-256. */
async function copyOut(
  client: pg.Client,
  sql: string,
  file: string,
): Promise<{ rows: number; sha256: string }> {
  const source = client.query(copyTo(sql));
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const zip = createGzip({ level: constants.Z_BEST_SPEED });
  await pipeline(source, zip, hashing, createWriteStream(file, { mode: 0o600, flush: true }));
  return { rows: source.rowCount, sha256: hash.digest('hex') };
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');

/**
 * Writes every table as it was at one moment (a read-only transaction that holds nobody up), the list of objects in
 * use at that moment, the numbers that sequences have reached and the names of the migrations. Streams; a table of
 * any size takes a few hundred kilobytes of memory.
 */
export async function dumpDatabase(
  client: pg.Client,
  folder: string,
  say: (text: string) => void,
): Promise<Pick<Manifest, 'migrations' | 'tables' | 'sequences'>> {
  await mkdir(join(folder, 'tables'), { recursive: true, mode: 0o700 });
  await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const tables: TableDump[] = [];
    for (const { name, columns } of await tablesInOrder(client)) {
      say(`table ${name}`);
      const sql = `COPY (SELECT ${quoted(columns)} FROM "${name}") TO STDOUT`;
      tables.push({ name, columns, ...(await copyOut(client, sql, place.table(folder, name))) });
    }
    await copyOut(
      client,
      `COPY (SELECT key, size_bytes, encode(sha256, 'hex') FROM stored_object WHERE state = 'live' ORDER BY id) TO STDOUT`,
      place.list(folder),
    );
    const applied = await client.query<{ migration_name: string }>(
      'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1',
    );
    // Read after the tables: a number that was given meanwhile is skipped, never given twice.
    const sequences = await client.query<{ name: string; value: string }>(
      `SELECT sequencename AS name, last_value::text AS value FROM pg_sequences
       WHERE schemaname = 'public' AND last_value IS NOT NULL`,
    );
    await client.query('COMMIT');
    return {
      migrations: applied.rows.map((row) => row.migration_name),
      tables,
      sequences: sequences.rows.map(({ name, value }) => ({ name, value: Number(value) })),
    };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
