import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { bytesOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from './access.ts';
import { isAncestor, selectNodes } from './commits-db.ts';
import { lockRef } from './db.ts';
import { isRefName } from './git/ref-name.ts';
import { moveRef } from './move-ref.ts';
import { reserveRefName } from './reserve-ref-name.ts';
import { revisionNotFound } from './resolve-revision.ts';
import type { RepoRef } from './types.ts';

/** Whether the ref ever was there, by its reflog. Plan: range of ref_update_repo_id_name_id_idx. */
async function wasAt(tx: Tx, repoId: RepoId, ref: string, oid: Oid): Promise<boolean> {
  const { rows } = await tx.query(
    'SELECT 1 FROM ref_update WHERE repo_id = $1 AND name = $2 AND (old_oid = $3 OR new_oid = $3) LIMIT 1',
    [repoId, ref, bytesOf(oid)],
  );
  return rows.length > 0;
}

/**
 * Sets a branch (short name) back to a commit where it once was, or brings a deleted one back; what it is now stays
 * in the reflog. Returns whether history was left behind. Throws repo_not_found, forbidden (also when a protected
 * branch would lose history), revision_not_found (the reflog has no such place, or garbage collection took it),
 * ref_moved (it is not at `expected` any more; null: it must be gone), conflict_exists (another branch's name stands
 * in the way, or files of that commit were permanently deleted).
 */
export async function restoreBranch(
  ctx: Ctx,
  ref: RepoRef,
  request: { readonly branch: string; readonly oid: Oid; readonly expected?: Oid | null | undefined },
): Promise<{ ref: string; isForced: boolean }> {
  const repo = await requireWrite(ctx, ref);
  const { branch, oid, expected } = request;
  const name = `refs/heads/${branch}`;
  if (!isRefName(branch)) throw revisionNotFound(branch);
  const isForced = await transaction(ctx.db, async (tx) => {
    const now = await lockRef(tx, repo.id, name);
    if (expected !== undefined && expected !== now)
      throw hubError(
        'ref_moved',
        'The branch was updated since you opened this page. Please refresh and try again.',
      );
    if (now === oid) return false;
    if (!(await wasAt(tx, repo.id, name, oid))) throw revisionNotFound(`${branch}@{${oid}}`);
    if (!(await selectNodes(tx, repo.id, [oid])).has(oid)) throw revisionNotFound(oid);
    if (now === null) await reserveRefName(tx, repo, name);
    const leavesBehind = now !== null && !(await isAncestor(tx, repo.id, now, oid));
    const move = { repo, ref: name, oldOid: now, newOid: oid, reason: 'restore' as const };
    if (!(await moveRef(tx, ctx, { ...move, isForced: leavesBehind })))
      throw hubError('busy', 'The branch is just being changed; try again');
    return leavesBehind;
  });
  await failpoint('restore.after-tx');
  return { ref: name, isForced };
}
