import { bytesOf, hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { visibleRepos } from '../access.ts';

/** A large file of some repo that the caller may read. */
export interface StoredFile {
  readonly repoId: RepoId;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/**
 * Those of the files that the caller may read somewhere, preferably in `repoId`, and whose bytes are sure: a whole
 * object, or a Xet file that was verified. What only repos of others hold is not told apart from what nobody holds.
 * Plan: repo_file(sha256), then primary keys.
 */
export async function findStored(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  repoId: RepoId,
  sha256s: readonly Sha256[],
): Promise<Map<Sha256, StoredFile>> {
  const files = new Map<Sha256, StoredFile>();
  if (sha256s.length === 0) return files;
  const visible = visibleRepos(ctx.principal, 'r', 3);
  const { rows } = await ctx.db.query<{ sha256: Buffer; repo_id: RepoId; size_bytes: number }>(
    `SELECT DISTINCT ON (e.sha256) e.sha256, e.repo_id, e.size_bytes
     FROM repo_file e JOIN repo r ON r.id = e.repo_id
     LEFT JOIN stored_object o ON o.id = e.object_id AND o.state = 'live'
     LEFT JOIN xet_file x ON x.id = e.xet_file_id AND x.sha256_state = 'verified'
     WHERE e.sha256 = ANY($1::bytea[]) AND (o.id IS NOT NULL OR x.id IS NOT NULL) AND ${visible.sql}
     ORDER BY e.sha256, (e.repo_id = $2) DESC, e.repo_id`,
    [sha256s.map(bytesOf), repoId, ...visible.values],
  );
  for (const row of rows) {
    const sha256 = hexOf<Sha256>(row.sha256);
    files.set(sha256, { repoId: row.repo_id, sha256, sizeBytes: row.size_bytes });
  }
  return files;
}

/**
 * Those of the sizes that some file has which the caller may read: a file of any other size cannot be here already, so
 * that nothing is won by hashing it before it is sent. Files of others count for nothing. Plan: repo_file(size_bytes).
 */
export async function sizesStored(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  sizes: readonly number[],
): Promise<Set<number>> {
  if (sizes.length === 0) return new Set();
  const visible = visibleRepos(ctx.principal, 'r', 2);
  const { rows } = await ctx.db.query<{ size: number }>(
    `SELECT size FROM unnest($1::bigint[]) AS asked(size)
     WHERE EXISTS (SELECT 1 FROM repo_file e JOIN repo r ON r.id = e.repo_id
       WHERE e.size_bytes = asked.size AND ${visible.sql})`,
    [[...new Set(sizes)], ...visible.values],
  );
  return new Set(rows.map((row) => row.size));
}
