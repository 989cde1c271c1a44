import type { Queryable } from '#lib/base/db.ts';
import { hubError, isHubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { bytesOf, hexOf, type Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { commitSignature } from './commit-signature.ts';
import { splitMessage } from './git/commit.ts';
import { readTrees } from './git/read-trees.ts';
import { type Landing, sealCommit } from './land-commit.ts';
import { type CommitPlan, planCommit } from './plan-commit.ts';
import { readBlob } from './read-blob.ts';
import { readRoot } from './resolve-revision.ts';
import type { StagedCommit } from './stage-operations.ts';
import type { Repo } from './types.ts';

/** What a commit shall be, whatever head it lands on. */
export interface CommitIntent {
  readonly repo: Repo;
  /** Full name of the branch, or of a pull request's ref. */
  readonly branch: string;
  readonly message: string;
  readonly parentCommit: string | null;
  readonly staged: StagedCommit;
}

type DraftContext = Pick<Ctx, 'db' | 'principal' | 'publicUrl' | 'clock'>;

/** An abbreviation of fewer digits names nobody. */
const MIN_OID_DIGITS = 7;
const names = (abbreviated: string, oid: Oid) =>
  abbreviated.length >= MIN_OID_DIGITS && oid.startsWith(abbreviated.toLowerCase());

/** The plan of the intent on one commit. */
async function planOn(
  ctx: Pick<Ctx, 'db'>,
  through: Queryable,
  { repo, staged }: CommitIntent,
  base: Oid,
): Promise<CommitPlan & { baseRoot: Oid }> {
  const source = {
    readTrees: async (oids: readonly Oid[]) => {
      await failpoint('commit.reading');
      return readTrees(ctx.db, repo.id, oids, through);
    },
    readBlob: (oid: Oid) => readBlob(through, repo.id, oid),
  };
  const baseRoot = await readRoot(ctx.db, repo.id, base, through);
  return { baseRoot, ...(await planCommit(source, baseRoot, staged.operations)) };
}

/**
 * Whether the head is what exactly this request made: clients send a commit again when its answer got lost, and
 * then its parent is no longer the head and what it deletes is gone. True only when user, message and parent are
 * the same and the operations applied to the head's parent give the head's tree.
 */
async function isResend(
  ctx: DraftContext,
  through: Queryable,
  intent: CommitIntent,
  head: Oid,
): Promise<boolean> {
  const { rows } = await through.query<{
    tree_oid: Buffer;
    parents: Buffer[];
    title: string;
    message: string;
    user_id: string | null;
  }>('SELECT tree_oid, parents, title, message, user_id FROM commit_index WHERE repo_id = $1 AND oid = $2', [
    intent.repo.id,
    bytesOf(head),
  ]);
  const made = rows[0];
  const parent = made?.parents.length === 1 && made.parents[0] ? hexOf<Oid>(made.parents[0]) : null;
  if (!made || parent === null) return false;
  const { title, body } = splitMessage(intent.message);
  const userId = ctx.principal.kind === 'user' ? ctx.principal.id : null;
  if (made.title !== title || made.message !== body || made.user_id !== userId) return false;
  if (intent.parentCommit !== null && !names(intent.parentCommit, parent)) return false;
  try {
    return (await planOn(ctx, through, intent, parent)).rootOid === hexOf<Oid>(made.tree_oid);
  } catch (error) {
    if (isHubError(error)) return false; // it could not even be applied there
    throw error;
  }
}

/**
 * Plans the intent on `head`: the commit to write, or null when there is nothing to write, because the tree would
 * be the same or because the head is this very request, sent before. Reads through the caller's transaction, if
 * it has one. Throws ref_moved when the client named another parent, entry_not_found (details.commitOid),
 * invalid_path, invalid_input.
 */
export async function draftCommit(
  ctx: DraftContext,
  through: Queryable,
  intent: CommitIntent,
  head: Oid,
): Promise<Landing | null> {
  const { repo, branch, message, parentCommit, staged } = intent;
  try {
    if (parentCommit !== null && !names(parentCommit, head))
      throw hubError(
        'ref_moved',
        'The branch was updated since you opened this page. Please refresh and try again.',
      );
    const plan = await planOn(ctx, through, intent, head);
    if (plan.rootOid === plan.baseRoot) return null;
    const by = commitSignature(ctx);
    const commit = { tree: plan.rootOid, parents: [head], author: by, committer: by, message };
    const objects = [...staged.objects, ...plan.objects];
    const sealed = await sealCommit(commit);
    return { repo, ref: branch, oldOid: head, commit, sealed, objects, reason: 'commit' };
  } catch (error) {
    if (!isHubError(error) || (error.code !== 'ref_moved' && error.code !== 'entry_not_found')) throw error;
    if (await isResend(ctx, through, intent, head)) return null;
    if (error.code === 'entry_not_found') error.details.commitOid = head;
    throw error;
  }
}
