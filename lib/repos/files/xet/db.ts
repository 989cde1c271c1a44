import { randomInt } from 'node:crypto';
import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { refuseDeleting } from '../refuse-deleting.ts';

/** How long a xorb outlives its last use: clients remember it for 21 days and upload against their memory. */
const PIN = `interval '22 days'`;

const MAX_EPOCH = 1_000_000_000;

export interface Domain {
  readonly id: number;
  readonly epoch: number;
}

/** The deduplication domain of a namespace, or of the hub (null), made on first use. Plan: one probe of a unique index. */
export async function domainOf(db: Queryable, namespaceId: string | null): Promise<Domain> {
  const find = () =>
    namespaceId === null
      ? db.query<Domain>('SELECT id, epoch FROM xet_domain WHERE namespace_id IS NULL')
      : db.query<Domain>({
          name: 'xet-domain-of',
          text: 'SELECT id, epoch FROM xet_domain WHERE namespace_id = $1',
          values: [namespaceId],
        });
  const found = (await find()).rows[0];
  if (found !== undefined) return found;
  // Clients remember for weeks what they uploaded to an address: a hub that starts anew must not inherit their memory.
  await db.query('INSERT INTO xet_domain (namespace_id, epoch) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    namespaceId,
    randomInt(1, MAX_EPOCH),
  ]);
  return (await find()).rows[0] as Domain;
}

/** The domain's current epoch, or null when there is no such domain. */
export async function epochOf(db: Queryable, domainId: number): Promise<number | null> {
  const { rows } = await db.query<{ epoch: number }>({
    name: 'xet-epoch-of',
    text: 'SELECT epoch FROM xet_domain WHERE id = $1',
    values: [domainId],
  });
  return rows[0]?.epoch ?? null;
}

export interface XorbRow {
  readonly id: number;
  readonly hash: Buffer;
  readonly chunkCount: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly objectKey: string;
}

const XORB_COLUMNS = `x.id, x.hash, x.chunk_count AS "chunkCount", x.raw_bytes AS "rawBytes",
  x.disk_bytes AS "storedBytes", o.key AS "objectKey"`;

/** Live xorbs of the domain among `hashes`. Plan: one probe of xorb_domain_id_hash_key and stored_object_pkey per hash. */
export async function liveXorbs(
  db: Queryable,
  domainId: number,
  hashes: readonly Buffer[],
): Promise<XorbRow[]> {
  const { rows } = await db.query<XorbRow>({
    name: 'xet-live-xorbs',
    text: `SELECT ${XORB_COLUMNS} FROM xorb x JOIN stored_object o ON o.id = x.object_id
           WHERE x.domain_id = $1 AND x.hash = ANY($2::bytea[]) AND x.state = 'live'`,
    values: [domainId, hashes],
  });
  return rows;
}

/** Xorbs by id, of whatever state. Plan: one probe of xorb_pkey and stored_object_pkey per id. */
export async function xorbsById(db: Queryable, ids: readonly number[]): Promise<XorbRow[]> {
  const { rows } = await db.query<XorbRow>({
    name: 'xet-xorbs-by-id',
    text: `SELECT ${XORB_COLUMNS} FROM xorb x JOIN stored_object o ON o.id = x.object_id
           WHERE x.id = ANY($1::bigint[])`,
    values: [ids],
  });
  return rows;
}

/** Chunk tables by xorb id, 40 bytes per chunk: ask for few at a time. */
export async function chunkTables(db: Queryable, ids: readonly number[]): Promise<Map<number, Buffer>> {
  const { rows } = await db.query<{ id: number; chunk_meta: Buffer }>({
    name: 'xet-chunk-tables',
    text: 'SELECT id, chunk_meta FROM xorb WHERE id = ANY($1::bigint[])',
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, row.chunk_meta]));
}

export interface NewXorb {
  readonly domainId: number;
  readonly repoId: RepoId;
  readonly hash: Buffer;
  readonly table: Buffer;
  readonly chunkCount: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly objectKey: string;
  readonly objectBytes: number;
  /** Who uploaded it, to be counted until a file names it; null for what the hub makes itself. */
  readonly unnamedBy: string | null;
}

/**
 * Records a stored xorb. A condemned row of the same hash comes back to life with the new object, and so does one
 * whose object is `lostKey`; the old object is left to garbage collection, somebody may still be reading it. `surplus`:
 * another upload was faster, the caller deletes its object. Throws busy when garbage collection has taken the bytes for
 * an orphan meanwhile.
 */
export async function insertXorb(
  tx: Queryable,
  xorb: NewXorb,
  lostKey: string | null,
): Promise<'new' | 'revived' | 'surplus'> {
  const before = await tx.query<{ id: number; state: string; key: string }>(
    `SELECT x.id, x.state, o.key FROM xorb x JOIN stored_object o ON o.id = x.object_id
     WHERE x.domain_id = $1 AND x.hash = $2 FOR UPDATE OF x`,
    [xorb.domainId, xorb.hash],
  );
  const old = before.rows[0];
  if (old !== undefined && old.state === 'live' && old.key !== lostKey) return 'surplus';
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO stored_object (key, size_bytes, state) VALUES ($1, $2, 'live')
     ON CONFLICT (key) DO NOTHING RETURNING id`,
    [xorb.objectKey, xorb.objectBytes],
  );
  if (rows[0] === undefined) await refuseDeleting(tx, xorb.objectKey);
  const objectId = rows[0]?.id as number;
  if (old !== undefined) {
    await tx.query(
      `UPDATE xorb SET object_id = $2, state = 'live', condemned_at = NULL, chunk_meta = $3, disk_bytes = $4,
                       unnamed_by = $5, pinned_until = now() + ${PIN}
       WHERE id = $1`,
      [old.id, objectId, xorb.table, xorb.storedBytes, xorb.unnamedBy],
    );
    return 'revived';
  }
  const inserted = await tx.query(
    `INSERT INTO xorb (domain_id, hash, object_id, chunk_count, raw_bytes, disk_bytes, chunk_meta, pinned_until, created_by, unnamed_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, now() + ${PIN}, $8, $9) ON CONFLICT (domain_id, hash) DO NOTHING`,
    [
      xorb.domainId,
      xorb.hash,
      objectId,
      xorb.chunkCount,
      xorb.rawBytes,
      xorb.storedBytes,
      xorb.table,
      xorb.repoId,
      xorb.unnamedBy,
    ],
  );
  if (inserted.rowCount === 1) return 'new';
  await tx.query('DELETE FROM stored_object WHERE id = $1', [objectId]);
  return 'surplus';
}

/**
 * Locks xorbs against being condemned and renews their pins. Returns how many of `ids` are live: fewer than asked
 * means that the garbage collector was faster.
 */
export async function pinXorbs(tx: Queryable, ids: readonly number[]): Promise<number> {
  const { rowCount } = await tx.query(
    `UPDATE xorb SET pinned_until = now() + ${PIN}
     WHERE id IN (SELECT id FROM xorb WHERE id = ANY($1::bigint[]) AND state = 'live' ORDER BY id FOR UPDATE)`,
    [ids],
  );
  return rowCount ?? 0;
}

export type Sha256State = 'unverified' | 'verified' | 'bad' | 'lost';

export interface XetFileRow {
  readonly id: number;
  readonly domainId: number;
  readonly hash: Buffer;
  readonly sizeBytes: number;
  readonly terms: Buffer;
  readonly sha256: Buffer;
  readonly sha256State: Sha256State;
}

const FILE_COLUMNS = `f.id, f.domain_id AS "domainId", f.hash, f.size_bytes AS "sizeBytes", f.terms, f.sha256,
  f.sha256_state AS "sha256State"`;

/** A file by id, or null. */
export async function xetFileById(db: Queryable, fileId: number): Promise<XetFileRow | null> {
  const { rows } = await db.query<XetFileRow>({
    name: 'xet-file-by-id',
    text: `SELECT ${FILE_COLUMNS} FROM xet_file f WHERE f.id = $1`,
    values: [fileId],
  });
  return rows[0] ?? null;
}

/**
 * The file with this id text that the repo holds, or null: knowing a hash gives nothing, the edge gives the right.
 * It may lie in another domain than the repo's own: when the repo moved here, when the file was copied, or when a guest
 * brought it with a pull request. Plan: xet_file_hash_idx, then repo_file_pkey, one probe each.
 */
export async function xetFileOfRepo(db: Queryable, repoId: RepoId, hash: Buffer): Promise<XetFileRow | null> {
  const { rows } = await db.query<XetFileRow>({
    name: 'xet-file-of-repo',
    text: `SELECT ${FILE_COLUMNS} FROM xet_file f
           JOIN repo_file r ON r.repo_id = $1 AND r.sha256 = f.sha256 AND r.xet_file_id = f.id
           WHERE f.hash = $2 AND f.sha256_state IN ('verified', 'unverified') LIMIT 1`,
    values: [repoId, hash],
  });
  return rows[0] ?? null;
}

/** States of those (hash, sha256) pairs that the domain knows, by `hash:sha256` in hex of the raw bytes. */
export async function fileStates(
  db: Queryable,
  domainId: number,
  files: readonly { readonly hash: Buffer; readonly sha256: Sha256 }[],
): Promise<Map<string, Sha256State>> {
  const { rows } = await db.query<{ hash: Buffer; sha256: Buffer; sha256_state: Sha256State }>(
    `SELECT f.hash, f.sha256, f.sha256_state
     FROM unnest($2::bytea[], $3::bytea[]) AS asked(hash, sha256)
     JOIN xet_file f ON f.domain_id = $1 AND f.hash = asked.hash AND f.sha256 = asked.sha256`,
    [domainId, files.map((f) => f.hash), files.map((f) => bytesOf(f.sha256))],
  );
  return new Map(rows.map((r) => [fileKey(r.hash, r.sha256.toString('hex') as Sha256), r.sha256_state]));
}

/** Key of fileStates. */
export function fileKey(hash: Buffer, sha256: Sha256): string {
  return `${hash.toString('hex')}:${sha256}`;
}

/** Those of the files whose SHA-256 nobody has recomputed yet. Plan: one probe of xet_file_pkey per id. */
export async function unverifiedAmong(db: Queryable, ids: readonly number[]): Promise<Set<number>> {
  if (ids.length === 0) return new Set();
  const { rows } = await db.query<{ id: number }>(
    `SELECT id FROM xet_file WHERE id = ANY($1::bigint[]) AND sha256_state = 'unverified'`,
    [ids],
  );
  return new Set(rows.map((row) => row.id));
}

/** Sets what the recomputed SHA-256 said. */
export async function setSha256State(db: Queryable, fileId: number, state: Sha256State): Promise<void> {
  await db.query('UPDATE xet_file SET sha256_state = $2 WHERE id = $1', [fileId, state]);
}
