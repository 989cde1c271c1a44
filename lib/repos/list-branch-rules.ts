import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { BranchRule } from './protect-branch.ts';

/** All protections of a repo's branches, by pattern. The caller has checked the right to read. */
export async function listBranchRules(db: Queryable, repoId: RepoId): Promise<BranchRule[]> {
  const { rows } = await db.query<BranchRule>(
    `SELECT pattern, require_pull_request AS "requirePullRequest" FROM protected_branch
     WHERE repo_id = $1 ORDER BY pattern LIMIT 100`,
    [repoId],
  );
  return rows;
}
