import { hubError } from '#lib/base/errors.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from '../access.ts';
import type { RepoRef } from '../types.ts';
import { copyEdges } from './copy-files.ts';
import { findStored } from './find-stored.ts';

/**
 * Gives a repo files that the caller may read in other repos, without a byte being sent. Answers which it holds now and
 * which must be uploaded: what only others may read is among the latter. All in one transaction; repeated, it gives the
 * same answer. Throws repo_not_found, unauthenticated, forbidden, busy.
 */
export async function linkStored(
  ctx: Ctx,
  ref: RepoRef,
  files: readonly { readonly sha256: Sha256; readonly sizeBytes: number }[],
): Promise<{ linked: Sha256[]; missing: Sha256[] }> {
  const repo = await requireWrite(ctx, ref);
  if (ctx.principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in to upload');
  const wanted = new Map(files.map((file) => [file.sha256, file.sizeBytes]));
  const found = await findStored(ctx, repo.id, [...wanted.keys()]);
  const usable = [...found.values()].filter((file) => file.sizeBytes === wanted.get(file.sha256));
  const others = usable.filter((file) => file.repoId !== repo.id);
  await copyEdges(ctx, others, repo.id, ctx.principal.id);
  const linked = new Set(usable.map((file) => file.sha256));
  return { linked: [...linked], missing: [...wanted.keys()].filter((sha256) => !linked.has(sha256)) };
}
