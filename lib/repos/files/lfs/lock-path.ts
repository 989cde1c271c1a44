import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { newId } from '#lib/base/ids.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from '../../access.ts';
import { checkPath } from '../../check-path.ts';
import { auditSubject } from '../../move-ref.ts';
import type { RepoRef } from '../../types.ts';
import { insertLock, type LfsLock, selectLocks } from './locks-db.ts';

const MAX_LOCKS = 10_000;

/**
 * Locks a path for the caller (git-lfs docs/api/locking.md). A lock is a message to other people: their git-lfs does
 * not push over it; the hub refuses nothing because of it. Returns the lock, or the one that is there already, the
 * caller's own or another's: of two who ask at once, one gets it. Throws repo_not_found, forbidden, invalid_path,
 * too_large (too many locks).
 */
export async function lockPath(
  ctx: Ctx,
  ref: RepoRef,
  path: string,
): Promise<{ lock: LfsLock; isNew: boolean }> {
  const repo = await requireWrite(ctx, ref);
  if (ctx.principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in to lock files');
  checkPath(path);
  const ownerId = ctx.principal.id;
  return transaction(ctx.db, async (tx) => {
    const { rows } = await tx.query<{ count: number }>(
      'SELECT count(*)::int4 AS count FROM lfs_lock WHERE repo_id = $1',
      [repo.id],
    );
    if ((rows[0]?.count ?? 0) >= MAX_LOCKS)
      throw hubError('too_large', `a repository may have ${MAX_LOCKS} locks; unlock what is not needed`);
    const isNew = await insertLock(tx, { id: newId(), repoId: repo.id, path, ownerId });
    const [lock] = await selectLocks(tx, repo.id, { path, limit: 1 });
    if (lock === undefined) throw hubError('busy', 'the lock was given back in this moment; try again');
    if (isNew) await audit(tx, ctx, { action: 'lfs.lock', subject: auditSubject(repo), details: { path } });
    return { lock, isNew };
  });
}
