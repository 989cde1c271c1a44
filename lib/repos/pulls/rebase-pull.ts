import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { commitSignature } from '../commit-signature.ts';
import { lockRef, selectRefs } from '../db.ts';
import { type CommitContent, parseCommit } from '../git/commit.ts';
import { insertObjects, selectObjects } from '../git/db.ts';
import { decodeObject } from '../git/objects.ts';
import { indexCommits } from '../index-commits.ts';
import { sealCommit } from '../land-commit.ts';
import { moveRef } from '../move-ref.ts';
import type { Repo, RepoRef } from '../types.ts';
import { mergeBase } from '../walk-commits.ts';
import { mergeConflict } from './merge-pull.ts';
import { countWriting, requireSteward } from './participation.ts';
import { planMerge } from './plan-merge.ts';
import { commitsAhead } from './record-pull-move.ts';
import { type Discussion, pullRef } from './types.ts';

/** Longer pull requests are rebased with git. */
const MAX_COMMITS = 100;

/** Commits by oid, in this order. */
async function readCommits(tx: Tx, repo: Repo, oids: readonly Oid[]): Promise<CommitContent[]> {
  const objects = await selectObjects(tx, repo.id, oids);
  return Promise.all(
    oids.map(async (oid) => {
      const object = objects.get(oid);
      if (object === undefined) throw new Error(`commit ${oid} of repo ${repo.id} is missing`);
      return parseCommit(await decodeObject(object));
    }),
  );
}

/** What is put on the branch, oldest first: each commit where they form a line, else all changes as one commit. */
async function stepsOf(
  ctx: Ctx,
  tx: Tx,
  repo: Repo,
  { title, num }: Discussion,
  heads: { base: Oid | null; ours: Oid; theirs: Oid },
): Promise<{ from: Oid | null; to: Oid; content: Pick<CommitContent, 'author' | 'message'> }[]> {
  const oids = (await commitsAhead(tx, repo.id, heads.ours, heads.theirs, MAX_COMMITS + 1)).toReversed();
  if (oids.length > MAX_COMMITS)
    throw hubError('invalid_input', `More than ${MAX_COMMITS} commits: rebase pull request #${num} with git`);
  const commits = await readCommits(tx, repo, oids);
  const isLine = commits.every(
    ({ parents }, i) => parents.length === 1 && parents[0] === (i === 0 ? heads.base : oids[i - 1]),
  );
  if (!isLine)
    return [
      { from: heads.base, to: heads.theirs, content: { author: commitSignature(ctx), message: title } },
    ];
  return commits.map((content, i) => ({
    from: content.parents[0] ?? null,
    to: oids[i] as Oid,
    content,
  }));
}

/** Makes the steps again on top of `onto`, in the caller's transaction; returns the new head. Throws conflict_exists. */
async function replay(
  ctx: Ctx,
  tx: Tx,
  repo: Repo,
  steps: Awaited<ReturnType<typeof stepsOf>>,
  onto: Oid,
): Promise<Oid> {
  const userId = ctx.principal.kind === 'user' ? ctx.principal.id : null;
  let head = onto;
  for (const { from, to, content } of steps) {
    const merge = await planMerge(ctx, tx, repo.id, { base: from, ours: head, theirs: to });
    if (merge.kind === 'conflicts') throw mergeConflict(merge.paths);
    if (merge.plan.rootOid === merge.oursRoot) continue; // the branch has it already
    const { author, message } = content;
    const commit = {
      tree: merge.plan.rootOid,
      parents: [head],
      author,
      committer: commitSignature(ctx),
      message,
    };
    const sealed = await sealCommit(commit);
    await insertObjects(tx, repo.id, [...merge.plan.objects, sealed]);
    await indexCommits(tx, repo.id, [{ oid: sealed.oid, commit, userId }]);
    head = sealed.oid;
  }
  return head;
}

/**
 * Puts the commits of a pull request on the head that its branch has now, keeping their authors and messages: its ref
 * leaves the old ones behind, and the conversation says so. Its author may, and who may write to the repo. One
 * transaction under the lock of its ref; already there changes nothing. Throws repo_not_found, unauthenticated,
 * forbidden, not_found, invalid_input (no pull request, not open, more than 100 commits, branch gone), conflict_exists
 * with details.filesWithConflicts, rate_limited.
 */
export async function rebasePull(ctx: Ctx, ref: RepoRef, num: number): Promise<{ repo: Repo; headOid: Oid }> {
  const { repo, user, discussion } = await requireSteward(ctx, ref, num, 'rebase it');
  const { pull } = discussion;
  if (pull === null) throw hubError('invalid_input', `#${num} is a discussion: there is nothing to rebase`);
  await countWriting(ctx, user, 'written');
  const headOid = await transaction(ctx.db, async (tx) => {
    const theirs = await lockRef(tx, repo.id, pullRef(num));
    const ours = (await selectRefs(tx, repo.id, [pull.baseRef]))[0]?.oid;
    if (theirs === null) throw hubError('invalid_input', 'The commits of this pull request were deleted');
    if (ours === undefined)
      throw hubError('invalid_input', 'The branch that this pull request goes to was deleted');
    const base = await mergeBase(tx, repo.id, ours, theirs);
    if (base === ours) return theirs;
    const steps = await stepsOf(ctx, tx, repo, discussion, { base, ours, theirs });
    const newOid = await replay(ctx, tx, repo, steps, ours);
    const move = { repo, ref: pullRef(num), oldOid: theirs, newOid, reason: 'pull', isForced: true } as const;
    if (!(await moveRef(tx, ctx, move))) throw new Error(`${move.ref} moved while it was locked`);
    return newOid;
  });
  return { repo, headOid };
}
