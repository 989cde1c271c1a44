import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, type RepoId, type Sha256, type XetHash } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead, requireWrite } from '../access.ts';
import { linkWithinQuota } from '../storage/require-room.ts';
import type { RepoRef } from '../types.ts';
import { findFiles } from './find-files.ts';
import { keepFiles } from './keep-files.ts';

/** A large file as a client names it. */
export interface FileToCopy {
  readonly sha256: Sha256;
  /** When given, the file must be held as this Xet file. */
  readonly xetHash?: XetHash | undefined;
}

/** Gives repo $1 an edge to each of these files of repos $2; an edge that has usable bytes stays as it is. */
const COPY = `INSERT INTO repo_file AS e (repo_id, sha256, size_bytes, object_id, xet_file_id, created_by)
  SELECT $1, s.sha256, s.size_bytes, s.object_id, s.xet_file_id, $4
  FROM unnest($2::bigint[], $3::bytea[]) AS wanted(repo_id, sha256)
  JOIN repo_file s ON s.repo_id = wanted.repo_id AND s.sha256 = wanted.sha256
  ORDER BY s.sha256 FOR KEY SHARE OF s
  ON CONFLICT (repo_id, sha256) DO UPDATE SET
    size_bytes = EXCLUDED.size_bytes, object_id = EXCLUDED.object_id, xet_file_id = EXCLUDED.xet_file_id
  WHERE NOT EXISTS (SELECT 1 FROM stored_object o WHERE o.id = e.object_id AND o.state = 'live')
    AND NOT EXISTS (SELECT 1 FROM xet_file x WHERE x.id = e.xet_file_id AND x.sha256_state IN ('verified', 'unverified'))`;

/**
 * Lets another repo hold large files of this one, without copying a byte: who may read the one and write to the other
 * could download and upload them. Returns for every file that could not be copied why. The files that could are
 * held when it returns, all in one transaction. Throws repo_not_found (either), forbidden (the target), quota_exceeded.
 */
export async function copyFiles(
  ctx: Ctx,
  from: RepoRef,
  to: RepoRef,
  files: readonly FileToCopy[],
): Promise<{ failed: (FileToCopy & { readonly error: string })[] }> {
  const source = await requireRead(ctx, from);
  const target = await requireWrite(ctx, to);
  if (ctx.principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in to copy files');
  const held = await findFiles(
    ctx.db,
    source.id,
    files.map((file) => file.sha256),
  );
  const failed = files.flatMap((file) => {
    const found = held.get(file.sha256);
    if (found === undefined) return [{ ...file, error: 'the source repository does not hold this file' }];
    if (file.xetHash !== undefined && found.xet?.hash !== file.xetHash)
      return [{ ...file, error: 'the source repository holds this file under another xetHash' }];
    return [];
  });
  const refused = new Set(failed.map((file) => file.sha256));
  const wanted = [...held.keys()].filter((sha256) => !refused.has(sha256));
  if (source.id !== target.id) {
    const edges = wanted.map((sha256) => ({ repoId: source.id, sha256 }));
    await copyEdges(ctx, edges, target.id, ctx.principal.id);
  }
  return { failed };
}

/**
 * Gives repo `to` the right to files of other repos, in one transaction; the caller has checked that the user may read
 * them there and write here. `busy` when one of them is just being deleted: then none was copied.
 */
export async function copyEdges(
  ctx: Pick<Ctx, 'db' | 'config'>,
  from: readonly { readonly repoId: RepoId; readonly sha256: Sha256 }[],
  to: RepoId,
  userId: string,
): Promise<void> {
  if (from.length === 0) return;
  const sha256s = from.map((edge) => edge.sha256);
  await transaction(ctx.db, async (tx) => {
    const link = () => tx.query(COPY, [to, from.map((edge) => edge.repoId), sha256s.map(bytesOf), userId]);
    await linkWithinQuota(tx, ctx.config, to, link);
    await keepFiles(tx, to, sha256s);
    if ((await findFiles(tx, to, sha256s)).size !== sha256s.length)
      throw hubError('busy', 'files of the source repository are just being deleted; try again');
  });
}
