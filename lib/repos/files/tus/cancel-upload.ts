import type { Ctx } from '#lib/identity/context.ts';
import type { RepoRef } from '../../types.ts';
import { closeTusUpload } from './db.ts';
import { requireOwnUpload } from './find-upload.ts';
import { removeRemains } from './remove-remains.ts';

/**
 * Gives up an upload and frees what it stored; one that is done already stays done. Throws repo_not_found, not_found,
 * gone. Dying in between leaves the rest to the sweep at the store.
 */
export async function cancelUpload(ctx: Ctx, ref: RepoRef, id: string): Promise<void> {
  const upload = await requireOwnUpload(ctx, ref, id);
  if (await closeTusUpload(ctx.db, id, { state: 'aborted' })) await removeRemains(ctx, upload);
}
