import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, type RepoId } from '#lib/base/ids.ts';
import type { Root } from './mark-reachable.ts';
import { before, type Run } from './types.ts';

/**
 * Where everything that must stay begins: refs; where refs were during the retention of the reflog; heads, bases and
 * merges of pull requests that are open or merged, and of closed ones whose ref is still there; what endpoints are
 * pinned to. Plan: the repo's ranges of ref_pkey, ref_update_repo_id_name_id_idx and discussion_pkey.
 */
export async function readRoots(db: Queryable, run: Run, repoId: RepoId): Promise<Root[]> {
  const { rows } = await db.query<{ oid: Buffer; sure: boolean }>(
    `SELECT oid, true AS sure FROM ref WHERE repo_id = $1
     UNION ALL
     SELECT oid, false FROM ref_update u, LATERAL (VALUES (u.old_oid), (u.new_oid)) AS v (oid)
       WHERE u.repo_id = $1 AND u.at > $2 AND oid IS NOT NULL
     UNION ALL
     SELECT oid, false FROM discussion d, LATERAL (VALUES (d.head_oid), (d.base_oid), (d.merge_commit_oid)) AS v (oid)
       WHERE d.repo_id = $1 AND d.is_pull AND oid IS NOT NULL
         AND (d.status <> 'closed'
           OR EXISTS (SELECT 1 FROM ref WHERE ref.repo_id = $1 AND ref.name = 'refs/pr/' || d.num))`,
    [repoId, before(run, run.reflogMs)],
  );
  const pinned = await run.pinned(db, repoId);
  const roots = new Map<string, Root>();
  for (const { oid, sure } of rows) {
    const key = oid.toString('hex');
    if (sure || !roots.has(key)) roots.set(key, { oid, isSure: sure });
  }
  for (const oid of pinned) if (!roots.has(oid)) roots.set(oid, { oid: bytesOf(oid), isSure: false });
  return [...roots.values()];
}

/**
 * Commits, tags and folders that were written within the grace: what a commit, a push or a rewriting that is under way
 * has put down already leans on older objects, which therefore stay too. Reads the repo's range of git_object without
 * the contents.
 */
export async function readYoung(db: Queryable, run: Run, repoId: RepoId): Promise<Root[]> {
  const { rows } = await db.query<{ oid: Buffer }>(
    'SELECT oid FROM git_object WHERE repo_id = $1 AND touched_at > $2 AND kind <> 3',
    [repoId, before(run, run.graceMs)],
  );
  return rows.map(({ oid }) => ({ oid, isSure: false }));
}
