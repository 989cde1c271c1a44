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
