import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from '../../access.ts';
import { auditSubject } from '../../move-ref.ts';
import type { RepoRef } from '../../types.ts';
import { deleteLock, type LfsLock, selectLocks } from './locks-db.ts';

/**
 * Gives a lock back: the caller's own, or with `force` that of another, by whoever may write to the repo. Returns what
 * it was. Throws repo_not_found, forbidden (another's lock without force), not_found.
 */
export async function unlockPath(
  ctx: Ctx,
  ref: RepoRef,
  request: { readonly id: string; readonly force: boolean },
): Promise<LfsLock> {
  const repo = await requireWrite(ctx, ref);
  const gone = () => hubError('not_found', 'there is no such lock');
  if (!/^[0-9a-f]{24}$/.test(request.id)) throw gone();
  return transaction(ctx.db, async (tx) => {
    const [lock] = await selectLocks(tx, repo.id, { id: request.id, limit: 1 });
    if (lock === undefined) throw gone();
    const isOwn = ctx.principal.kind === 'user' && ctx.principal.id === lock.ownerId;
    if (!isOwn && !request.force)
      throw hubError(
        'forbidden',
        `${JSON.stringify(lock.path)} is locked by ${lock.ownerName}; only with --force others unlock it`,
      );
    if (!(await deleteLock(tx, repo.id, lock.id))) throw gone();
    const details = { path: lock.path, owner: lock.ownerName, force: request.force };
    await audit(tx, ctx, { action: 'lfs.unlock', subject: auditSubject(repo), details });
    return lock;
  });
}
