import type { Queryable } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { findBlobs } from './find-blobs.ts';

/** More lost pointers than this are not told apart: the repo has been through a great removal. */
const MAX_LOST = 10_000;

/**
 * Throws conflict_exists unless every large file that the history of `commitOid` names is still held by the repo. A
 * commit that a ref reaches always passes; one that only the reflog or an old oid knows may name files that were
 * permanently deleted since, and a ref must never point at something missing. One query as long as nothing is lost
 * (plan: git_object_lfs, repo_file_pkey); else the trees of the history are looked through once. `among`: only these
 * files may be missing.
 */
export async function requireWhole(
  db: Queryable,
  repoId: RepoId,
  commitOid: Oid,
  among?: readonly Sha256[],
): Promise<void> {
  const { rows } = await db.query<{ oid: Buffer }>(
    `SELECT g.oid FROM git_object g
     WHERE g.repo_id = $1 AND g.lfs_sha256 IS NOT NULL
       ${among ? 'AND g.lfs_sha256 = ANY($3::bytea[])' : ''}
       AND NOT EXISTS (SELECT 1 FROM repo_file e WHERE e.repo_id = $1 AND e.sha256 = g.lfs_sha256)
     LIMIT $2`,
    among ? [repoId, null, among.map(bytesOf)] : [repoId, MAX_LOST],
  );
  if (rows.length === 0) return;
  const lost = new Set(rows.map((row) => hexOf<Oid>(row.oid)));
  const [found] = await findBlobs(db, repoId, [{ ref: null, commitOid }], lost, { first: true });
  if (found)
    throw hubError(
      'conflict_exists',
      `Commit ${commitOid} names ${JSON.stringify(found.path)}, a large file that was deleted meanwhile: this repository no longer holds it, so no branch or tag can lead there. Upload it again.`,
    );
}
