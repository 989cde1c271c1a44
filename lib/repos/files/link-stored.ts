import { hubError } from '#lib/base/errors.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { RepoRef } from '../types.ts';
import { copyEdges } from './copy-files.ts';
import { findStored, type StoredFile } from './find-stored.ts';
import { keepFiles } from './keep-files.ts';
import { requireUpload } from './require-upload.ts';

/**
 * Gives a repo files that the caller may read in other repos, without a byte being sent. Answers which it holds now and
 * which must be uploaded: what only others may read is among the latter, and for guests (`createPr`) all that this repo
 * has not. All in one transaction; repeated, it gives the same answer. Throws repo_not_found, unauthenticated, forbidden, busy.
 */
export async function linkStored(
  ctx: Ctx,
  ref: RepoRef,
  files: readonly { readonly sha256: Sha256; readonly sizeBytes: number }[],
  createPr = false,
): Promise<{ linked: Sha256[]; missing: Sha256[] }> {
  const { repo, isGuest } = await requireUpload(ctx, ref, { createPr });
  if (ctx.principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in to upload');
  const wanted = new Map(files.map((file) => [file.sha256, file.sizeBytes]));
  const found = await findStored(ctx, repo.id, [...wanted.keys()]);
  const isUsable = (file: StoredFile) =>
    file.sizeBytes === wanted.get(file.sha256) && (!isGuest || file.repoId === repo.id);
  const usable = [...found.values()].filter(isUsable);
  const [own, others] = [true, false].map((isOwn) => usable.filter((f) => (f.repoId === repo.id) === isOwn));
  await keepFiles(
    ctx.db,
    repo.id,
    (own ?? []).map((file) => file.sha256),
  );
  await copyEdges(ctx, others ?? [], repo.id, ctx.principal.id);
  const linked = new Set(usable.map((file) => file.sha256));
  return { linked: [...linked], missing: [...wanted.keys()].filter((sha256) => !linked.has(sha256)) };
}
