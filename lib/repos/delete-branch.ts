import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from './access.ts';
import { lockRef } from './db.ts';
import { moveRef } from './move-ref.ts';
import { revisionNotFound } from './resolve-revision.ts';
import type { RepoRef } from './types.ts';

/**
 * Deletes a branch by its short name; its commits stay until garbage collection finds them unreachable. Throws
 * repo_not_found, forbidden (also for the default branch), revision_not_found.
 */
export async function deleteBranch(ctx: Ctx, ref: RepoRef, branch: string): Promise<void> {
  const repo = await requireWrite(ctx, ref);
  const name = `refs/heads/${branch}`;
  if (branch === repo.defaultBranch)
    throw hubError('forbidden', `Cannot delete ${name}: it is the default branch`);
  if (branch.includes('\0')) throw revisionNotFound(branch);
  await transaction(ctx.db, async (tx) => {
    const now = await lockRef(tx, repo.id, name);
    if (now === null) throw revisionNotFound(branch);
    if (!(await moveRef(tx, ctx, { repo, ref: name, oldOid: now, newOid: null, reason: 'delete' })))
      throw new Error(`${name} moved while it was locked`);
  });
}
