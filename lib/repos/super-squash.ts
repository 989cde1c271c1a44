import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from './access.ts';
import { commitSignature } from './commit-signature.ts';
import { lockRef } from './db.ts';
import { landCommit, sealCommit } from './land-commit.ts';
import { readRoot, revisionNotFound } from './resolve-revision.ts';
import type { RepoRef } from './types.ts';

const MAX_MESSAGE_CHARS = 500;

/**
 * Replaces the history of a branch (short name) by one commit with the branch's present files; other refs keep
 * theirs. What is committed at the same time is squashed in or lands on top, never lost. Returns the new commit.
 * Throws repo_not_found, forbidden (also when the branch is protected), invalid_input (message), revision_not_found.
 * The old commits stay reachable by the reflog until garbage collection.
 */
export async function superSquash(
  ctx: Ctx,
  ref: RepoRef,
  branch: string,
  message: string,
): Promise<{ commitOid: Oid }> {
  const repo = await requireWrite(ctx, ref);
  const text = message.replaceAll('\0', '').trim();
  if (text === '' || text.length > MAX_MESSAGE_CHARS)
    throw hubError('invalid_input', `message: 1 to ${MAX_MESSAGE_CHARS} characters`);
  if (branch.includes('\0')) throw revisionNotFound(branch);
  const name = `refs/heads/${branch}`;
  const commitOid = await transaction(ctx.db, async (tx) => {
    const head = await lockRef(tx, repo.id, name);
    if (head === null) throw revisionNotFound(branch);
    const by = commitSignature(ctx);
    const tree = await readRoot(ctx.db, repo.id, head, tx);
    const commit = { tree, parents: [], author: by, committer: by, message: text };
    const sealed = await sealCommit(commit);
    if (sealed.oid === head) return head; // the same request, sent again within the second
    const move = { repo, ref: name, oldOid: head, reason: 'squash' as const, isForced: true };
    if (!(await landCommit(tx, ctx, { ...move, commit, sealed, objects: [] })))
      throw new Error(`${name} moved while it was locked`);
    return sealed.oid;
  });
  await failpoint('squash.after-tx');
  return { commitOid };
}
