import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { DiscussionStatus } from './types.ts';

/** Whose pull request a number is and how it stands, for deciding who may move its ref; null when it is none. Plan: discussion_pkey. */
export async function findPullAuthor(
  db: Queryable,
  repoId: RepoId,
  num: number,
): Promise<{ readonly authorId: string; readonly status: DiscussionStatus } | null> {
  const { rows } = await db.query<{ author_id: string; status: DiscussionStatus }>(
    'SELECT author_id, status FROM discussion WHERE repo_id = $1 AND num = $2 AND is_pull',
    [repoId, num],
  );
  return rows[0] ? { authorId: rows[0].author_id, status: rows[0].status } : null;
}

/** Numbers of the pull requests that a user has open in a repo. Plan: discussion_repo_id_status_idx. */
export async function findOpenPullsOf(db: Queryable, repoId: RepoId, userId: string): Promise<number[]> {
  const { rows } = await db.query<{ num: number }>(
    `SELECT num FROM discussion WHERE repo_id = $1 AND status IN ('open', 'draft') AND is_pull AND author_id = $2`,
    [repoId, userId],
  );
  return rows.map((row) => row.num);
}
