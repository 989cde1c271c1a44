import type { Queryable } from '#lib/base/db.ts';
import { hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';

/** Commits of a repo that endpoints serve or will serve again: garbage collection leaves them. Plan: endpoint_repo_id_idx. */
export async function pinnedCommits(db: Queryable, repoId: RepoId): Promise<Oid[]> {
  const { rows } = await db.query<{ commit_oid: Buffer }>(
    `SELECT DISTINCT commit_oid FROM endpoint WHERE repo_id = $1 AND desired <> 'deleted'`,
    [repoId],
  );
  return rows.map((row) => hexOf<Oid>(row.commit_oid));
}
