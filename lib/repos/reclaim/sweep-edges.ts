import { transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { before, type Run } from './types.ts';

const EDGES_PER_BATCH = 1000;

/** No pointer of the repo, reachable or not, names the file. */
const UNNAMED = `NOT EXISTS (SELECT 1 FROM git_object g WHERE g.repo_id = e.repo_id AND g.lfs_sha256 = e.sha256)`;

/**
 * Takes a repo's right to files that none of its pointers names and that nobody asked for within the grace. The edge is
 * locked first and looked at again in a new statement: whoever is committing a pointer to it holds it (holdFiles), or
 * has committed and its pointer is seen, or comes later and is told to upload again. Returns how many went.
 */
export async function sweepEdges(run: Run, repoId: RepoId): Promise<number> {
  let removed = 0;
  for (;;) {
    run.signal.throwIfAborted();
    const { found, gone } = await transaction(run.app.db, async (tx) => {
      // also against requireWhole, which looks at edges under this lock and locks none of them
      await tx.query('SELECT 1 FROM repo WHERE id = $1 FOR NO KEY UPDATE', [repoId]);
      const { rows } = await tx.query<{ sha256: Buffer }>(
        `SELECT sha256 FROM repo_file e WHERE e.repo_id = $1 AND e.used_at <= $2 AND ${UNNAMED}
         ORDER BY sha256 LIMIT ${EDGES_PER_BATCH} FOR UPDATE OF e SKIP LOCKED`,
        [repoId, before(run, run.graceMs)],
      );
      if (rows.length === 0) return { found: 0, gone: 0 };
      const { rowCount } = await tx.query(
        `DELETE FROM repo_file e WHERE e.repo_id = $1 AND e.sha256 = ANY($2::bytea[]) AND ${UNNAMED}`,
        [repoId, rows.map(({ sha256 }) => sha256)],
      );
      await failpoint('reclaim.edges-taken');
      return { found: rows.length, gone: rowCount ?? 0 };
    });
    removed += gone;
    if (found < EDGES_PER_BATCH || gone === 0) return removed;
  }
}
