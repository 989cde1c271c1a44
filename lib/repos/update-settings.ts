import { type Tx, transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound, requireAdmin } from './access.ts';
import { auditSubject } from './move-ref.ts';
import { areDiscussionsDisabled, disableDiscussions } from './pulls/discussions-db.ts';
import type { Repo, RepoRef, Visibility } from './types.ts';

/** What a repo is set to. */
export interface RepoSettings {
  readonly visibility: Visibility;
  /** It takes no new discussions, comments and pull requests; what was said stays readable. */
  readonly discussionsDisabled: boolean;
}

async function write(tx: Tx, repo: Repo, now: RepoSettings): Promise<void> {
  const { rowCount } = await tx.query(
    'UPDATE repo SET visibility = $2 WHERE id = $1 AND deleted_at IS NULL',
    [repo.id, now.visibility],
  );
  if (rowCount !== 1) throw repoNotFound();
  await disableDiscussions(tx, repo.id, now.discussionsDisabled);
}

/**
 * Sets who may see a repo and whether it takes discussions; the next request of every process obeys. Returns what it is
 * now. Links for downloads that were handed out before work until they expire. Throws repo_not_found, forbidden.
 */
export async function updateSettings(
  ctx: Ctx,
  ref: RepoRef,
  settings: { readonly [K in keyof RepoSettings]?: RepoSettings[K] | undefined },
): Promise<RepoSettings> {
  const repo = await requireAdmin(ctx, ref);
  const wasDisabled = await areDiscussionsDisabled(ctx.db, repo.id);
  const before: RepoSettings = { visibility: repo.visibility, discussionsDisabled: wasDisabled };
  const now: RepoSettings = {
    visibility: settings.visibility ?? before.visibility,
    discussionsDisabled: settings.discussionsDisabled ?? before.discussionsDisabled,
  };
  if (now.visibility === before.visibility && now.discussionsDisabled === wasDisabled) return now;
  await transaction(ctx.db, async (tx) => {
    await write(tx, repo, now);
    await audit(tx, ctx, {
      action: 'repo.settings',
      subject: auditSubject(repo),
      details: { ...now, before },
    });
  });
  return now;
}
