import { isHubError } from '#lib/base/errors.ts';
import { bytesOf, hexOf, type Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { splitMessage } from './git/commit.ts';
import { readTrees } from './git/read-trees.ts';
import { planCommit } from './plan-commit.ts';
import { readBlob } from './read-blob.ts';
import { readRoot } from './resolve-revision.ts';
import type { StagedCommit } from './stage-operations.ts';
import type { CommitHeader, Repo } from './types.ts';

/**
 * Whether the head is what exactly this request made: clients send a commit again when its answer got lost, and
 * then its parent is no longer the head and what it deletes is gone. True only when user, message and parent are
 * the same and the operations applied to the head's parent give the head's tree.
 */
export async function isResend(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  repo: Repo,
  request: { head: Oid; message: string; staged: StagedCommit; header: CommitHeader },
): Promise<boolean> {
  const { rows } = await ctx.db.query<{
    tree_oid: Buffer;
    parents: Buffer[];
    title: string;
    message: string;
    user_id: string | null;
  }>('SELECT tree_oid, parents, title, message, user_id FROM commit_index WHERE repo_id = $1 AND oid = $2', [
    repo.id,
    bytesOf(request.head),
  ]);
  const head = rows[0];
  const parent = head?.parents.length === 1 && head.parents[0] ? hexOf<Oid>(head.parents[0]) : null;
  if (!head || parent === null) return false;
  const { title, body } = splitMessage(request.message);
  const userId = ctx.principal.kind === 'user' ? ctx.principal.id : null;
  if (head.title !== title || head.message !== body || head.user_id !== userId) return false;
  const { parentCommit } = request.header;
  if (parentCommit !== null && !parent.startsWith(parentCommit.toLowerCase())) return false;
  const source = {
    readTrees: (oids: readonly Oid[]) => readTrees(ctx.db, repo.id, oids),
    readBlob: (oid: Oid) => readBlob(ctx.db, repo.id, oid),
  };
  try {
    const root = await readRoot(ctx.db, repo.id, parent);
    const plan = await planCommit(source, root, request.staged.operations);
    return plan.rootOid === hexOf<Oid>(head.tree_oid);
  } catch (error) {
    if (isHubError(error)) return false; // it could not even be applied there
    throw error;
  }
}
