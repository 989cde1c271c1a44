import type { Queryable } from '#lib/base/db.ts';

/** A chunk that clients ask about, and the xorb of the same domain that holds it. */
export interface IndexedChunk {
  readonly hash: Buffer;
  readonly xorbId: number;
}

/**
 * Whether clients ask about a chunk wherever it stands in a file: about one in 1,024. The first chunk of every file is
 * asked about too, whatever its hash. (docs/xet/deduplication of the Hugging Face Hub documentation.)
 */
export function isAskedFor(hash: Buffer): boolean {
  return (hash.readUInt16LE(24) & 1023) === 0;
}

/**
 * Lets clients find these chunks. Call it in the transaction that registers their files, after their xorbs were locked:
 * whoever condemns a xorb deletes its rows under the same lock. A chunk that is found already stays where it is.
 */
export async function indexChunks(
  tx: Queryable,
  domainId: number,
  chunks: readonly IndexedChunk[],
): Promise<void> {
  if (chunks.length === 0) return;
  await tx.query(
    `INSERT INTO chunk_index (domain_id, chunk_hash, xorb_id)
     SELECT DISTINCT ON (hash) $1::bigint, hash, xorb_id FROM unnest($2::bytea[], $3::bigint[]) AS new(hash, xorb_id)
     ORDER BY hash, xorb_id
     ON CONFLICT (domain_id, chunk_hash) DO NOTHING`,
    [domainId, chunks.map((chunk) => chunk.hash), chunks.map((chunk) => chunk.xorbId)],
  );
}

/** Live xorbs of the domain that hold these chunks, as far as they are found by them. Plan: chunk_index_pkey, xorb_pkey. */
export async function findIndexedXorbs(
  db: Queryable,
  domainId: number,
  hashes: readonly Buffer[],
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'xet-find-chunks',
    text: `SELECT DISTINCT x.id FROM chunk_index c JOIN xorb x ON x.id = c.xorb_id AND x.state = 'live'
           WHERE c.domain_id = $1 AND c.chunk_hash = ANY($2::bytea[])`,
    values: [domainId, hashes],
  });
  return rows.map(({ id }) => id);
}

/**
 * Lets chunks that are found already be found in these xorbs, which hold them too and were locked and seen live in this
 * transaction.
 */
export async function reindexChunks(
  tx: Queryable,
  domainId: number,
  chunks: readonly IndexedChunk[],
): Promise<void> {
  await tx.query(
    `UPDATE chunk_index c SET xorb_id = new.xorb_id FROM unnest($2::bytea[], $3::bigint[]) AS new(hash, xorb_id)
     WHERE c.domain_id = $1 AND c.chunk_hash = new.hash AND c.xorb_id <> new.xorb_id`,
    [domainId, chunks.map((chunk) => chunk.hash), chunks.map((chunk) => chunk.xorbId)],
  );
}

const MAX_FILES = 16;
const MAX_XORBS = 20_000;

/** A xorb by its id, with what its description in a shard costs. */
export interface NearXorb {
  readonly id: number;
  readonly chunkCount: number;
  /** The oldest of the files for which it was found. */
  readonly fileId: number;
}

/**
 * Live xorbs of the domain that stand together with this one in its 16 newest files before `beforeFileId`: itself first,
 * then the nearest, those that were stored after it before those before. Plan: xet_file_xorb_xorb_id_idx, then
 * xet_file_xorb_pkey per file and xorb_pkey per xorb.
 */
export async function xorbsNear(
  db: Queryable,
  domainId: number,
  xorbId: number,
  beforeFileId: number = Number.MAX_SAFE_INTEGER,
): Promise<NearXorb[]> {
  const { rows } = await db.query<NearXorb>({
    name: 'xet-xorbs-near',
    text: `WITH files AS (
             SELECT e.file_id FROM xet_file_xorb e JOIN xet_file f ON f.id = e.file_id AND f.sha256_state <> 'bad'
             WHERE e.xorb_id = $2 AND e.file_id < $3 ORDER BY e.file_id DESC LIMIT ${MAX_FILES}),
           near AS (SELECT e.xorb_id, min(e.file_id) AS file_id FROM files JOIN xet_file_xorb e USING (file_id)
                    GROUP BY e.xorb_id)
           SELECT x.id, x.chunk_count AS "chunkCount", near.file_id AS "fileId"
           FROM near JOIN xorb x ON x.id = near.xorb_id
           WHERE x.domain_id = $1 AND x.state = 'live'
           ORDER BY CASE WHEN x.id >= $2 THEN x.id - $2 ELSE 4 * ($2 - x.id) END LIMIT ${MAX_XORBS}`,
    values: [domainId, xorbId, beforeFileId],
  });
  return rows;
}

/**
 * Makes sure that these xorbs stay for `days` days, and returns those that do: a client may refer to them for as long
 * as it trusts the answer. Rows that are pinned for longer already are not written.
 */
export async function pinFor(tx: Queryable, ids: readonly number[], days: number): Promise<number[]> {
  const { rows } = await tx.query<{ id: number }>(
    `WITH short AS (
       SELECT id FROM xorb WHERE id = ANY($1::bigint[]) AND state = 'live'
         AND pinned_until < now() + make_interval(days => $2) ORDER BY id FOR UPDATE),
     longer AS (
       UPDATE xorb SET pinned_until = now() + make_interval(days => $2 + 1)
       WHERE id IN (SELECT id FROM short) RETURNING id)
     SELECT id FROM longer
     UNION SELECT id FROM xorb WHERE id = ANY($1::bigint[]) AND state = 'live'
       AND pinned_until >= now() + make_interval(days => $2)`,
    [ids, days],
  );
  return rows.map((row) => row.id);
}
