import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from './access.ts';
import { commitSignature } from './commit-signature.ts';
import { isAncestor } from './commits-db.ts';
import { lockRef } from './db.ts';
import { encodeObject, KIND } from './git/objects.ts';
import { isRefName } from './git/ref-name.ts';
import { EMPTY_TREE_OID } from './git/tree.ts';
import { landCommit, sealCommit } from './land-commit.ts';
import { moveRef, type RefMove } from './move-ref.ts';
import { refExists, reserveRefName } from './reserve-ref-name.ts';
import { resolveRevision } from './resolve-revision.ts';
import type { RepoRef } from './types.ts';

export interface NewBranch {
  /** Short name: `main`, `feat/x`. */
  readonly branch: string;
  /** Any revision; the default branch when absent. */
  readonly startingPoint?: string | undefined;
  /** Begin a history of its own instead: one commit without files. */
  readonly isEmpty?: boolean | undefined;
  /** Move the branch when it exists, instead of refusing. */
  readonly overwrite?: boolean | undefined;
}

/** Writes a first commit without files and puts the branch there. */
async function landEmpty(tx: Tx, ctx: Ctx, move: Omit<RefMove, 'newOid'>): Promise<Oid> {
  const by = commitSignature(ctx);
  const commit = {
    tree: EMPTY_TREE_OID,
    parents: [],
    author: by,
    committer: by,
    message: 'initial commit',
  };
  const sealed = await sealCommit(commit);
  if (sealed.oid === move.oldOid) return sealed.oid;
  const objects = [await encodeObject(KIND.tree, Buffer.alloc(0))];
  if (!(await landCommit(tx, ctx, { ...move, commit, sealed, objects }))) throw refExists(move.ref);
  return sealed.oid;
}

/**
 * Creates a branch at a revision, or with a history of its own. Returns its full name and commit. With `overwrite`
 * an existing branch moves there, by force when history is left behind. Throws repo_not_found, forbidden (also when a
 * protected branch would be moved), invalid_input (name; both a starting point and none), revision_not_found
 * (starting point), conflict_exists (it exists, its name and another's cannot stand side by side, or the commit's
 * files were permanently deleted; of simultaneous requests one wins).
 */
export async function createBranch(
  ctx: Ctx,
  ref: RepoRef,
  request: NewBranch,
): Promise<{ ref: string; commitOid: Oid }> {
  const repo = await requireWrite(ctx, ref);
  if (!isRefName(request.branch))
    throw hubError('invalid_input', `Invalid reference for a branch: ${request.branch}`);
  if (request.isEmpty && request.startingPoint !== undefined)
    throw hubError('invalid_input', 'an empty branch has no starting point: give one or the other');
  const name = `refs/heads/${request.branch}`;
  const start = request.isEmpty
    ? null
    : await resolveRevision(ctx.db, repo, request.startingPoint ?? repo.defaultBranch);
  return transaction(ctx.db, async (tx) => {
    const now = await lockRef(tx, repo.id, name);
    if (now !== null && !request.overwrite) throw refExists(name);
    if (now !== null && now === start?.commitOid) return { ref: name, commitOid: now };
    if (now === null) await reserveRefName(tx, repo, name);
    const move = { repo, ref: name, oldOid: now, reason: 'branch' as const };
    if (start === null)
      return { ref: name, commitOid: await landEmpty(tx, ctx, { ...move, isForced: now !== null }) };
    const newOid = start.commitOid;
    const isForced = now !== null && !(await isAncestor(tx, repo.id, now, newOid));
    if (!(await moveRef(tx, ctx, { ...move, newOid, isForced }))) throw refExists(name);
    return { ref: name, commitOid: newOid };
  });
}
