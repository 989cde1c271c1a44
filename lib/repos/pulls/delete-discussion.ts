import { transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { auditSubject } from '../move-ref.ts';
import type { RepoRef } from '../types.ts';
import { dropPullRef } from './delete-pull-ref.ts';
import { lockDiscussion } from './discussions-db.ts';
import { requireMaintainer } from './participation.ts';

/**
 * Deletes a discussion or pull request with all that was said, and its ref. Its number is not given again. What was
 * merged stays merged. Who may write to the repo may. Throws repo_not_found, unauthenticated, forbidden, not_found.
 */
export async function deleteDiscussion(ctx: Ctx, ref: RepoRef, num: number): Promise<void> {
  const { repo } = await requireMaintainer(ctx, ref, num, 'delete it');
  await transaction(ctx.db, async (tx) => {
    await dropPullRef(tx, ctx, repo, num);
    const { title } = await lockDiscussion(tx, repo.id, num);
    await tx.query(
      `DELETE FROM discussion_edit WHERE event_id IN
         (SELECT id FROM discussion_event WHERE repo_id = $1 AND num = $2)`,
      [repo.id, num],
    );
    await tx.query('DELETE FROM discussion_event WHERE repo_id = $1 AND num = $2', [repo.id, num]);
    await tx.query('DELETE FROM discussion WHERE repo_id = $1 AND num = $2', [repo.id, num]);
    await audit(tx, ctx, {
      action: 'discussion.delete',
      subject: auditSubject(repo),
      details: { num, title },
    });
  });
}
