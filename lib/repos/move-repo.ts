import { isUniqueViolation, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { validateName } from '#lib/identity/names.ts';
import { requireAdmin } from './access.ts';
import { auditSubject } from './move-ref.ts';
import { requireCreate } from './require-create.ts';
import { requireRoomForRepo } from './storage/require-room.ts';
import { takeName } from './take-name.ts';
import type { RepoRef } from './types.ts';

/**
 * Renames a repo or moves it to another namespace, in one transaction; history, files, tokens of downloads and
 * endpoints go with it. Its old address leads to it until another repo takes that address. Only the name changes:
 * what hangs on the repo hangs on its id. Throws repo_not_found, forbidden (here or in the namespace it goes to),
 * invalid_input (name), conflict_exists (the address is taken; of two repos that want it one gets it), quota_exceeded, busy (it
 * was moved or deleted meanwhile).
 */
export async function moveRepo(ctx: Ctx, from: RepoRef, to: Omit<RepoRef, 'type'>): Promise<RepoRef> {
  const repo = await requireAdmin(ctx, from);
  const namespace = await requireCreate(ctx, repo.type, to.namespace);
  validateName(to.name);
  const target: RepoRef = { type: repo.type, namespace: namespace.name, name: to.name };
  const isSamePlace = namespace.id === repo.namespaceId && to.name.toLowerCase() === repo.name.toLowerCase();
  try {
    await transaction(ctx.db, async (tx) => {
      const { rowCount } = await tx.query(
        `UPDATE repo SET namespace_id = $2, name = $3, name_key = lower($3)
         WHERE id = $1 AND deleted_at IS NULL AND namespace_id = $4 AND name = $5`,
        [repo.id, namespace.id, to.name, repo.namespaceId, repo.name],
      );
      if (rowCount !== 1) throw hubError('busy', 'The repository is just being changed; try again');
      await takeName(tx, repo.type, namespace.id, to.name);
      if (namespace.id !== repo.namespaceId)
        await requireRoomForRepo(tx, ctx.config, repo.id, { isNew: false });
      if (!isSamePlace)
        await tx.query(
          `INSERT INTO repo_redirect (type, namespace_id, name_key, repo_id) VALUES ($1, $2, lower($3), $4)
           ON CONFLICT (type, namespace_id, name_key) DO UPDATE SET repo_id = EXCLUDED.repo_id, created_at = now()`,
          [repo.type, repo.namespaceId, repo.name, repo.id],
        );
      const details = { repoId: repo.id, to: auditSubject(target) };
      await audit(tx, ctx, { action: 'repo.move', subject: auditSubject(repo), details });
      await failpoint('move.before-commit');
    });
  } catch (error) {
    if (isUniqueViolation(error, 'repo_live_name'))
      throw hubError(
        'conflict_exists',
        `A ${repo.type} repository called ${namespace.name}/${to.name} already exists`,
      );
    throw error;
  }
  return target;
}
