import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '../../access.ts';
import type { RepoRef } from '../../types.ts';
import { findTusUpload, type TusUpload } from './db.ts';
import { noSuchUpload, uploadEnded } from './hold-upload.ts';

/**
 * The caller's own upload to this very repo. Throws repo_not_found, not_found (no such upload, or another's), gone
 * (given up, refused or expired).
 */
export async function requireOwnUpload(ctx: Ctx, ref: RepoRef, id: string): Promise<TusUpload> {
  const repo = await requireRead(ctx, ref);
  const upload = /^[0-9a-f]{24}$/.test(id) ? await findTusUpload(ctx.db, id) : null;
  const isOwn = ctx.principal.kind === 'user' && upload?.userId === ctx.principal.id;
  if (upload === null || !isOwn || upload.repoId !== repo.id) throw noSuchUpload();
  if (upload.state === 'aborted') throw uploadEnded();
  if (upload.state === 'open' && upload.expiresAt.getTime() < ctx.clock.now()) throw uploadEnded();
  return upload;
}
