import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';

/** A path of a repo that somebody asks others not to change. */
export interface LfsLock {
  readonly id: string;
  readonly path: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly lockedAt: Date;
}

interface Row {
  id: string;
  path: string;
  owner_id: string;
  owner_name: string;
  locked_at: Date;
}

const lockOf = (row: Row): LfsLock => ({
  id: row.id,
  path: row.path,
  ownerId: row.owner_id,
  ownerName: row.owner_name,
  lockedAt: row.locked_at,
});

const COLUMNS = 'l.id, l.path, l.owner_id, n.name AS owner_name, l.locked_at';
const FROM = 'lfs_lock l JOIN namespace n ON n.id = l.owner_id';

export interface LockFilter {
  readonly path?: string | undefined;
  readonly id?: string | undefined;
  /** Id of the last lock of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Locks of a repo in the order of their ids. Plan: a range of lfs_lock_repo_id_id_idx, or a probe of the path's key. */
export async function selectLocks(db: Queryable, repoId: RepoId, filter: LockFilter): Promise<LfsLock[]> {
  const { rows } = await db.query<Row>({
    name: 'select-locks',
    text: `SELECT ${COLUMNS} FROM ${FROM}
           WHERE l.repo_id = $1 AND ($2::text IS NULL OR l.path = $2) AND ($3::text IS NULL OR l.id = $3)
             AND l.id > $4 ORDER BY l.id LIMIT $5`,
    values: [repoId, filter.path ?? null, filter.id ?? null, filter.after ?? '', filter.limit],
  });
  return rows.map(lockOf);
}

/** Takes a lock; false when the path is locked already, by whomever. */
export async function insertLock(
  db: Queryable,
  lock: { id: string; repoId: RepoId; path: string; ownerId: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    'INSERT INTO lfs_lock (id, repo_id, path, owner_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
    [lock.id, lock.repoId, lock.path, lock.ownerId],
  );
  return rowCount === 1;
}

/** Gives a lock back; false when it was gone. */
export async function deleteLock(db: Queryable, repoId: RepoId, id: string): Promise<boolean> {
  const { rowCount } = await db.query('DELETE FROM lfs_lock WHERE repo_id = $1 AND id = $2', [repoId, id]);
  return rowCount === 1;
}
