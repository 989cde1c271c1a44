import { transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound, requireAdmin } from './access.ts';
import { lockRef } from './db.ts';
import { repoPushed } from './jobs.ts';
import { auditSubject } from './move-ref.ts';
import { revisionNotFound } from './resolve-revision.ts';
import type { RepoRef } from './types.ts';

/**
 * Makes an existing branch (short name) the one that is shown, cloned and served when no revision is named. What is
 * known of the repo (card, facts) is read again from it by a job. The branch stays locked meanwhile, so that nobody
 * deletes it at the same time. Throws repo_not_found, forbidden, revision_not_found.
 */
export async function setDefaultBranch(ctx: Ctx, ref: RepoRef, branch: string): Promise<void> {
  const repo = await requireAdmin(ctx, ref);
  if (branch.includes('\0')) throw revisionNotFound(branch);
  await transaction(ctx.db, async (tx) => {
    if ((await lockRef(tx, repo.id, `refs/heads/${branch}`)) === null) throw revisionNotFound(branch);
    const { rowCount } = await tx.query(
      'UPDATE repo SET default_branch = $2 WHERE id = $1 AND deleted_at IS NULL',
      [repo.id, branch],
    );
    if (rowCount !== 1) throw repoNotFound();
    await audit(tx, ctx, {
      action: 'repo.defaultBranch',
      subject: auditSubject(repo),
      details: { branch, before: repo.defaultBranch },
    });
    await ctx.queue.enqueue(tx, repoPushed, { repoId: repo.id }, { key: String(repo.id) });
  });
}
