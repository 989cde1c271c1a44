import { transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound, requireAdmin } from './access.ts';
import { auditSubject } from './move-ref.ts';
import type { RepoRef, Visibility } from './types.ts';

/**
 * Sets who may see a repo; the next request of every process obeys. Returns what it is now. Links for downloads that
 * were handed out before work until they expire. Throws repo_not_found, forbidden.
 */
export async function updateSettings(
  ctx: Ctx,
  ref: RepoRef,
  settings: { readonly visibility?: Visibility | undefined },
): Promise<{ visibility: Visibility }> {
  const repo = await requireAdmin(ctx, ref);
  const visibility = settings.visibility ?? repo.visibility;
  if (visibility === repo.visibility) return { visibility };
  await transaction(ctx.db, async (tx) => {
    const { rowCount } = await tx.query(
      'UPDATE repo SET visibility = $2 WHERE id = $1 AND deleted_at IS NULL',
      [repo.id, visibility],
    );
    if (rowCount !== 1) throw repoNotFound();
    await audit(tx, ctx, {
      action: 'repo.settings',
      subject: auditSubject(repo),
      details: { visibility, before: repo.visibility },
    });
  });
  return { visibility };
}
