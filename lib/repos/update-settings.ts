import { transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound, requireAdmin } from './access.ts';
import { auditSubject } from './move-ref.ts';
import { disableDiscussions } from './pulls/disable-discussions.ts';
import { areDiscussionsDisabled } from './pulls/discussions-db.ts';
import type { RepoRef, Visibility } from './types.ts';

/**
 * Sets who may see a repo and whether it may be discussed; the next request of every process obeys. Returns what it is now. Links for downloads that
 * were handed out before work until they expire. Throws repo_not_found, forbidden.
 */
export async function updateSettings(
  ctx: Ctx,
  ref: RepoRef,
  settings: {
    readonly visibility?: Visibility | undefined;
    /** No new discussions, pull requests and comments. */
    readonly discussionsDisabled?: boolean | undefined;
  },
): Promise<{ visibility: Visibility; discussionsDisabled: boolean }> {
  const repo = await requireAdmin(ctx, ref);
  return transaction(ctx.db, async (tx) => {
    // before the repo's row, as whoever opens a discussion takes them
    if (settings.discussionsDisabled !== undefined)
      await disableDiscussions(tx, repo.id, settings.discussionsDisabled);
    const { rows } = await tx.query<{ visibility: Visibility }>(
      'UPDATE repo SET visibility = coalesce($2, visibility) WHERE id = $1 AND deleted_at IS NULL RETURNING visibility',
      [repo.id, settings.visibility ?? null],
    );
    const [now] = rows;
    if (now === undefined) throw repoNotFound();
    const details = { ...settings, before: repo.visibility };
    await audit(tx, ctx, { action: 'repo.settings', subject: auditSubject(repo), details });
    return { ...now, discussionsDisabled: await areDiscussionsDisabled(tx, repo.id) };
  });
}
