import { transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound, requireAdmin } from './access.ts';
import { repoDeleted } from './jobs.ts';
import { auditSubject } from './move-ref.ts';
import type { RepoRef } from './types.ts';

/**
 * Deletes a repo: from the moment it returns nobody finds it. Its row stays as a tombstone that holds its id, its
 * refs and its edges until the `repo-deleted` job and garbage collection take them; the name is free again for
 * its namespace. Throws repo_not_found (also when another deletes it at the same time), forbidden.
 */
export async function deleteRepo(ctx: Ctx, ref: RepoRef): Promise<void> {
  const repo = await requireAdmin(ctx, ref);
  await transaction(ctx.db, async (tx) => {
    const gone = await tx.query('UPDATE repo SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL', [
      repo.id,
    ]);
    if (gone.rowCount !== 1) throw repoNotFound();
    await audit(tx, ctx, {
      action: 'repo.delete',
      subject: auditSubject(repo),
      details: { repoId: repo.id },
    });
    await ctx.queue.enqueue(tx, repoDeleted, { repoId: repo.id }, { key: String(repo.id) });
  });
}
