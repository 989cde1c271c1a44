import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '../access.ts';
import { selectChain } from '../commits-db.ts';
import { EMPTY_TREE_OID } from '../git/tree.ts';
import { readRoot, resolveRevision, revisionNotFound } from '../resolve-revision.ts';
import type { Repo, RepoRef } from '../types.ts';
import { mergeBase } from '../walk-commits.ts';
import { parseSteps } from './parse-range.ts';
import type { Range, RangeEnd, ResolvedRange } from './types.ts';

const MAX_STEPS = 10_000;

/**
 * One end: a branch, tag, oid or `refs/pr/N`, with `^` and `~n` for first parents. What lies before the first commit,
 * and the id of git's empty tree, is nothing (null).
 */
async function findEnd(ctx: Pick<Ctx, 'db'>, repo: Repo, text: string): Promise<RangeEnd> {
  if (text === EMPTY_TREE_OID) return { name: text, commitOid: null };
  const { name, steps } = parseSteps(text);
  const { commitOid } = await resolveRevision(ctx.db, repo, name);
  const shown = text || repo.defaultBranch;
  if (steps === 0) return { name: shown, commitOid };
  if (steps > MAX_STEPS) throw revisionNotFound(text);
  const chain = await selectChain(ctx.db, repo.id, commitOid, steps + 1);
  const last = chain.at(-1);
  if (chain.length === steps + 1) return { name: shown, commitOid: last?.oid ?? null };
  // one step before the first commit there is nothing; further back there is not even that
  if (chain.length === steps && last?.parents.length === 0) return { name: shown, commitOid: null };
  throw revisionNotFound(text);
}

/**
 * Finds both ends of a comparison and the trees to compare. With `three-dot` changes count from the merge base, or
 * from base itself where the two share no history. Throws repo_not_found, revision_not_found.
 */
export async function resolveRange(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  ref: RepoRef,
  range: Range,
): Promise<ResolvedRange> {
  const repo = await requireRead(ctx, ref);
  if (range.base.includes('\0') || range.head.includes('\0'))
    throw hubError('invalid_input', 'a revision cannot contain a NUL');
  const [base, head] = await Promise.all([findEnd(ctx, repo, range.base), findEnd(ctx, repo, range.head)]);
  const shared =
    base.commitOid === null || head.commitOid === null
      ? null
      : await mergeBase(ctx.db, repo.id, base.commitOid, head.commitOid);
  const fromOid = range.mode === 'three-dot' ? (shared ?? base.commitOid) : base.commitOid;
  const rootOf = async (oid: Oid | null) => (oid === null ? null : readRoot(ctx.db, repo.id, oid));
  const [fromTree, toTree] = await Promise.all([rootOf(fromOid), rootOf(head.commitOid)]);
  const pinned = `${fromOid ?? EMPTY_TREE_OID}..${head.commitOid ?? EMPTY_TREE_OID}`;
  return { repo, mode: range.mode, base, head, mergeBase: shared, fromOid, fromTree, toTree, pinned };
}
