import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound, requireWrite } from './access.ts';
import { lockRef } from './db.ts';
import { moveRef } from './move-ref.ts';
import { revisionNotFound } from './resolve-revision.ts';
import type { RepoRef } from './types.ts';

/**
 * Deletes a branch or a tag by its short name; its commits stay, and the reflog knows where it was, until garbage
 * collection finds them unreachable. Throws repo_not_found, forbidden (the default branch, a protected branch),
 * revision_not_found.
 */
export async function deleteRef(
  ctx: Ctx,
  ref: RepoRef,
  kind: 'branch' | 'tag',
  shortName: string,
): Promise<void> {
  const repo = await requireWrite(ctx, ref);
  const name = `refs/${kind === 'branch' ? 'heads' : 'tags'}/${shortName}`;
  if (shortName.includes('\0')) throw revisionNotFound(shortName);
  await transaction(ctx.db, async (tx) => {
    const now = await lockRef(tx, repo.id, name);
    // read under the ref's lock: another may just be making this branch the default one
    const { rows } = await tx.query<{ default_branch: string }>(
      'SELECT default_branch FROM repo WHERE id = $1 AND deleted_at IS NULL',
      [repo.id],
    );
    if (rows[0] === undefined) throw repoNotFound();
    if (name === `refs/heads/${rows[0].default_branch}`)
      throw hubError('forbidden', `Cannot delete ${name}: it is the default branch`);
    if (now === null) throw revisionNotFound(shortName);
    if (!(await moveRef(tx, ctx, { repo, ref: name, oldOid: now, newOid: null, reason: 'delete' })))
      throw new Error(`${name} moved while it was locked`);
  });
}
