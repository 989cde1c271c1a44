import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { lockRef } from '../db.ts';
import { moveRef } from '../move-ref.ts';
import type { Repo, RepoRef } from '../types.ts';
import { lockDiscussion } from './discussions-db.ts';
import { requireMaintainer } from './participation.ts';
import { pullRef } from './types.ts';

/** Inside the caller's transaction: takes refs/pr/N away if it is there. The row of the ref is locked by it. */
export async function dropPullRef(tx: Tx, ctx: Ctx, repo: Repo, num: number): Promise<boolean> {
  const ref = pullRef(num);
  const oldOid = await lockRef(tx, repo.id, ref);
  if (oldOid === null) return false;
  return moveRef(tx, ctx, { repo, ref, oldOid, newOid: null, reason: 'delete', isForced: true });
}

/**
 * Deletes the ref of a pull request that is merged or closed, so that clones no longer carry its commits; the
 * conversation stays. Who may write to the repo may. Throws repo_not_found, unauthenticated, forbidden, not_found (no
 * such pull request, or its ref is gone), invalid_input (it is open).
 */
export async function deletePullRef(ctx: Ctx, ref: RepoRef, num: number): Promise<void> {
  const { repo } = await requireMaintainer(ctx, ref, num, 'delete its commits');
  const deleted = await transaction(ctx.db, async (tx) => {
    await lockRef(tx, repo.id, pullRef(num));
    const { pull, status } = await lockDiscussion(tx, repo.id, num);
    if (pull === null) throw hubError('not_found', `#${num} is a discussion: it has no ref`);
    if (status === 'open' || status === 'draft')
      throw hubError(
        'invalid_input',
        `Pull request #${num} is ${status}: close it before its ref is deleted`,
      );
    return dropPullRef(tx, ctx, repo, num);
  });
  if (!deleted) throw hubError('not_found', `${pullRef(num)} is gone already`);
}
