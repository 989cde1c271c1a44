import type { Queryable } from '#lib/base/db.ts';
import { hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { MoveReason } from './move-ref.ts';

/** One move of a ref. */
export interface ReflogEntry {
  readonly id: number;
  readonly ref: string;
  readonly oldOid: Oid | null;
  readonly newOid: Oid | null;
  readonly reason: MoveReason;
  /** Name of who did it, as long as they are on this hub. */
  readonly actor: string | null;
  readonly at: Date;
}

interface Row {
  id: number;
  name: string;
  old_oid: Buffer | null;
  new_oid: Buffer | null;
  reason: MoveReason;
  actor: string | null;
  at: Date;
}

const COLUMNS = 'u.id, u.name, u.old_oid, u.new_oid, u.reason, n.name AS actor, u.at';
const TABLES = 'ref_update u LEFT JOIN namespace n ON n.id = u.actor_id AND n.deleted_at IS NULL';

const entryOf = (row: Row): ReflogEntry => ({
  id: row.id,
  ref: row.name,
  oldOid: row.old_oid && hexOf<Oid>(row.old_oid),
  newOid: row.new_oid && hexOf<Oid>(row.new_oid),
  reason: row.reason,
  actor: row.actor,
  at: row.at,
});

/**
 * Moves of one ref (full name), newest first, those before the entry `before`. The caller has checked the right to
 * write: the reflog names commits that were left behind on purpose. Plan: range of ref_update_repo_id_name_id_idx.
 */
export async function listReflog(
  db: Queryable,
  repoId: RepoId,
  ref: string,
  { limit, before }: { readonly limit: number; readonly before?: number | undefined },
): Promise<ReflogEntry[]> {
  if (ref.includes('\0')) return [];
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM ${TABLES} WHERE u.repo_id = $1 AND u.name = $2 AND u.id < $3 ORDER BY u.id DESC LIMIT $4`,
    [repoId, ref, before ?? Number.MAX_SAFE_INTEGER, limit],
  );
  return rows.map(entryOf);
}

/**
 * Branches that were deleted and are not there again: the last move of each, latest first. The caller has checked
 * the right to write. Plan: one pass over the repo's moves of branches.
 */
export async function listDeletedBranches(
  db: Queryable,
  repoId: RepoId,
  limit: number,
): Promise<ReflogEntry[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM (
       SELECT DISTINCT ON (name) * FROM ref_update
       WHERE repo_id = $1 AND name LIKE 'refs/heads/%' ORDER BY name, id DESC) u
     LEFT JOIN namespace n ON n.id = u.actor_id AND n.deleted_at IS NULL
     WHERE u.new_oid IS NULL ORDER BY u.id DESC LIMIT $2`,
    [repoId, limit],
  );
  return rows.map(entryOf);
}
