import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';

/**
 * Notes that somebody who may commit these files was told that the repo holds them already: garbage collection leaves
 * them for another grace, so that there is time for the commit. Writes nothing for what was noted within the hour.
 * Plan: one probe of repo_file_pkey per file.
 */
export async function keepFiles(db: Queryable, repoId: RepoId, sha256s: readonly Sha256[]): Promise<void> {
  if (sha256s.length === 0) return;
  await db.query(
    `UPDATE repo_file SET used_at = now() WHERE (repo_id, sha256) IN (
       SELECT repo_id, sha256 FROM repo_file WHERE repo_id = $1 AND sha256 = ANY($2::bytea[])
         AND used_at < now() - interval '1 hour' ORDER BY sha256 FOR NO KEY UPDATE)`,
    [repoId, sha256s.map(bytesOf)],
  );
}
