import { transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireAdmin } from '../access.ts';
import { auditSubject } from '../move-ref.ts';
import type { Repo, RepoRef } from '../types.ts';

/**
 * Turns the discussions and pull requests of a repo off or on. What was said stays readable. Throws repo_not_found,
 * unauthenticated, forbidden.
 */
export async function setDiscussions(
  ctx: Pick<Ctx, 'db' | 'principal' | 'ip' | 'requestId'>,
  ref: RepoRef,
  { disabled }: { readonly disabled: boolean },
): Promise<Repo> {
  const repo = await requireAdmin(ctx, ref);
  await transaction(ctx.db, async (tx) => {
    await tx.query(
      `INSERT INTO discussion_board (repo_id, is_disabled) VALUES ($1, $2)
       ON CONFLICT (repo_id) DO UPDATE SET is_disabled = $2`,
      [repo.id, disabled],
    );
    await audit(tx, ctx, {
      action: 'repo.discussions',
      subject: auditSubject(repo),
      details: { disabled },
    });
  });
  return repo;
}
