import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from './access.ts';
import { commitSignature } from './commit-signature.ts';
import { isAncestor, selectNodes, selectSummaries } from './commits-db.ts';
import { lockRef } from './db.ts';
import { diffTrees } from './diff-trees.ts';
import type { EncodedObject } from './git/objects.ts';
import { readTrees } from './git/read-trees.ts';
import { EMPTY_TREE_OID } from './git/tree.ts';
import { type Landing, landCommit, sealCommit } from './land-commit.ts';
import { inRefOrder } from './ref-queue.ts';
import { resolveRevision, revisionNotFound } from './resolve-revision.ts';
import type { Repo, RepoRef } from './types.ts';
import { WorkingTree } from './working-tree.ts';

const MAX_CHANGES = 25_000;
const MAX_NAMED = 20;

export interface RevertRequest {
  /** Short name. */
  readonly branch: string;
  /** Any revision; its commit must be in the branch's history. */
  readonly commit: string;
  /** The branch's head that the caller saw; another one is ref_moved. */
  readonly parentCommit?: string | undefined;
}

/** Where the files of a commit and of its first parent are. */
interface Undoing {
  readonly oid: Oid;
  readonly title: string;
  readonly after: Oid;
  readonly before: Oid;
}

async function readUndoing(ctx: Ctx, repo: Repo, oid: Oid): Promise<Undoing> {
  const node = (await selectNodes(ctx.db, repo.id, [oid])).get(oid);
  if (node === undefined) throw revisionNotFound(oid);
  const [parent] = node.parents;
  const above = parent && (await selectNodes(ctx.db, repo.id, [parent])).get(parent);
  const title = (await selectSummaries(ctx.db, repo.id, [oid])).get(oid)?.title ?? oid;
  return { oid, title, after: node.treeOid, before: above?.treeOid ?? EMPTY_TREE_OID };
}

function refuseConflicts(paths: readonly string[]): void {
  if (paths.length === 0) return;
  const named = paths.slice(0, MAX_NAMED).map((path) => JSON.stringify(path));
  const more = paths.length > MAX_NAMED ? ` and ${paths.length - MAX_NAMED} more` : '';
  throw hubError(
    'conflict_exists',
    `Cannot revert: the branch has changed since in ${named.join(', ')}${more}. Make the change by hand.`,
    { details: { paths: paths.slice(0, 1000) } },
  );
}

/** The head's tree with the change taken back, file by file; its new trees go to `objects`. */
async function undo(
  ctx: Ctx,
  tx: Tx,
  repo: Repo,
  { before, after }: Undoing,
  headRoot: Oid,
  objects: EncodedObject[],
): Promise<Oid> {
  const read = (oids: readonly Oid[]) => readTrees(ctx.db, repo.id, oids, tx);
  const { changes, isComplete } = await diffTrees(read, after, before, { maxChanges: MAX_CHANGES });
  if (!isComplete)
    throw hubError(
      'invalid_input',
      `A commit of more than ${MAX_CHANGES} changes cannot be reverted at once`,
    );
  const paths = changes.map((change) => change.path);
  const tree = await WorkingTree.open(headRoot, paths, read);
  const conflicts: string[] = [];
  const open = changes.filter(({ path, before: from, after: to }) => {
    const now = tree.find(path);
    const isAt = (file: typeof from) =>
      file === null
        ? now === undefined
        : now?.kind === 'leaf' && now.oid === file.oid && now.mode === file.mode;
    if (isAt(to)) return false; // somebody took it back already
    if (!isAt(from)) conflicts.push(path);
    return true;
  });
  refuseConflicts(conflicts);
  for (const { path, after: to } of open) if (to === null) tree.remove(path, 'any');
  for (const { path, after: to } of open) if (to !== null) tree.put(path, to.oid, to.mode);
  return tree.write(objects);
}

/** The commit that takes the change back, on top of the branch as it is in this transaction. */
async function draftRevert(
  ctx: Ctx,
  tx: Tx,
  repo: Repo,
  request: RevertRequest,
  target: Undoing,
): Promise<Landing> {
  const ref = `refs/heads/${request.branch}`;
  const head = await lockRef(tx, repo.id, ref);
  if (head === null) throw revisionNotFound(request.branch);
  if (request.parentCommit !== undefined && request.parentCommit !== head)
    throw hubError(
      'ref_moved',
      'The branch was updated since you opened this page. Please refresh and try again.',
    );
  if (!(await isAncestor(tx, repo.id, target.oid, head)))
    throw hubError('invalid_input', `Commit ${target.oid} is not in the history of ${request.branch}`);
  const headRoot = (await selectNodes(tx, repo.id, [head])).get(head)?.treeOid as Oid;
  const objects: EncodedObject[] = [];
  const tree = await undo(ctx, tx, repo, target, headRoot, objects);
  if (tree === headRoot)
    throw hubError('invalid_input', `Nothing to revert: ${request.branch} has nothing left of this change`);
  const by = commitSignature(ctx);
  const message = `Revert ${JSON.stringify(target.title)}\n\nThis reverts commit ${target.oid}.`;
  const commit = { tree, parents: [head], author: by, committer: by, message };
  const sealed = await sealCommit(commit);
  return { repo, ref, oldOid: head, commit, sealed, objects, reason: 'revert' };
}

/**
 * Takes back what one commit changed (a merge: against its first parent), as a new commit on top of a branch: a
 * three-way merge by whole files. Refused, with the paths, where a file has changed since. Returns the new commit.
 * Throws repo_not_found, forbidden, revision_not_found, ref_moved, conflict_exists (details.paths), invalid_input
 * (the commit is not in the branch's history, or nothing is left of it).
 */
export async function revertCommit(
  ctx: Ctx,
  ref: RepoRef,
  request: RevertRequest,
): Promise<{ commitOid: Oid; repo: Repo }> {
  const repo = await requireWrite(ctx, ref);
  if (request.branch.includes('\0')) throw revisionNotFound(request.branch);
  const { commitOid: oid } = await resolveRevision(ctx.db, repo, request.commit);
  const target = await readUndoing(ctx, repo, oid);
  const commitOid = await inRefOrder(ctx.db, `${repo.id}:refs/heads/${request.branch}`, () =>
    transaction(ctx.db, async (tx) => {
      const landing = await draftRevert(ctx, tx, repo, request, target);
      if (!(await landCommit(tx, ctx, landing))) throw new Error(`${landing.ref} moved while it was locked`);
      return landing.sealed.oid;
    }),
  );
  return { commitOid, repo };
}
