import { type Tx, transaction } from '#lib/base/db.ts';
import { type HubError, hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { bytesOf, type Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { commitSignature } from '../commit-signature.ts';
import { selectSummaries } from '../commits-db.ts';
import { lockRef, selectRefs } from '../db.ts';
import { landCommit, sealCommit } from '../land-commit.ts';
import { inRefOrder } from '../ref-queue.ts';
import type { Repo, RepoRef } from '../types.ts';
import { mergeBase } from '../walk-commits.ts';
import { lockDiscussion } from './discussions-db.ts';
import { insertEvents, newEventId } from './events-db.ts';
import { checkText, countWriting, requireMaintainer } from './participation.ts';
import { type MergePlan, planMerge } from './plan-merge.ts';
import { commitsAhead } from './record-pull-move.ts';
import { type Discussion, type PullFacts, pullRef } from './types.ts';

export interface MergeResult {
  readonly repo: Repo;
  /** The commit that holds the changes; the branch's head when it held them already. */
  readonly mergeCommitOid: Oid;
}

/** Co-authors named in the message; more make no message better. */
const MAX_CO_AUTHORS = 20;

/** The commits that a merge joins, and the one that both come from. */
interface Heads {
  readonly base: Oid | null;
  readonly ours: Oid;
  readonly theirs: Oid;
}

/** The error that names the files in the way. */
export function mergeConflict(paths: readonly string[]): HubError {
  const named = paths.slice(0, 5).map((path) => JSON.stringify(path));
  const more = paths.length > named.length ? ` and ${paths.length - named.length} more` : '';
  return hubError(
    'conflict_exists',
    `The branch has changed the same places meanwhile: ${named.join(', ')}${more}. Merge the branch into the pull request and push.`,
    { details: { filesWithConflicts: paths.slice(0, 1000) } },
  );
}

/** Throws unless a discussion is a pull request that may be merged now. */
function requireMergeable({ num, status, pull }: Discussion): PullFacts {
  if (pull === null) throw hubError('invalid_input', `#${num} is a discussion: there is nothing to merge`);
  if (status === 'merged') throw hubError('conflict_exists', `Pull request #${num} is merged already`);
  if (status === 'closed')
    throw hubError('invalid_input', `Pull request #${num} is closed: reopen it before merging`);
  if (status === 'draft')
    throw hubError('invalid_input', `Pull request #${num} is a draft: open it for review before merging`);
  return pull;
}

/** The error for a pull request whose branch, or whose own ref, is gone. */
function gone(ref: string): HubError {
  return hubError(
    'invalid_input',
    ref.startsWith('refs/pr/')
      ? 'The commits of this pull request were deleted: there is nothing to merge'
      : `The branch ${ref.slice('refs/heads/'.length)} that this pull request goes to was deleted`,
  );
}

/** `Co-authored-by` lines for those who made the commits but do not merge them. */
async function coAuthors(ctx: Ctx, tx: Tx, repo: Repo, { base, ours, theirs }: Heads): Promise<string[]> {
  const oids = await commitsAhead(tx, repo.id, base ?? ours, theirs, 250);
  const own = commitSignature(ctx).email;
  const lines = new Set<string>();
  for (const { authorName, authorEmail } of (await selectSummaries(tx, repo.id, oids)).values())
    if (authorEmail !== own)
      lines.add(`Co-authored-by: ${authorName} <${authorEmail}>`.replaceAll('\n', ' '));
  return [...lines].sort().slice(0, MAX_CO_AUTHORS);
}

/** One commit on the branch with all that the pull request changes; the branch's head when there is nothing new. */
async function landMerge(
  tx: Tx,
  ctx: Ctx,
  repo: Repo,
  discussion: Discussion & { readonly pull: PullFacts },
  heads: Heads,
  merge: Extract<MergePlan, { kind: 'clean' }>,
): Promise<Oid> {
  if (merge.plan.rootOid === merge.oursRoot) return heads.ours;
  const by = commitSignature(ctx);
  const title = `${discussion.title} (#${discussion.num})`;
  const message = [title, (await coAuthors(ctx, tx, repo, heads)).join('\n')].filter(Boolean).join('\n\n');
  const commit = { tree: merge.plan.rootOid, parents: [heads.ours], author: by, committer: by, message };
  const sealed = await sealCommit(commit);
  const ref = discussion.pull.baseRef;
  const { objects } = merge.plan;
  const landing = { repo, ref, oldOid: heads.ours, commit, sealed, objects, reason: 'merge' } as const;
  if (!(await landCommit(tx, ctx, landing))) throw new Error(`${ref} moved while it was locked`);
  return sealed.oid;
}

async function headsNow(ctx: Ctx, repo: Repo, num: number, baseRef: string): Promise<Heads> {
  const refs = new Map(
    (await selectRefs(ctx.db, repo.id, [baseRef, pullRef(num)])).map((row) => [row.name, row.oid]),
  );
  const [ours, theirs] = [refs.get(baseRef), refs.get(pullRef(num))];
  if (ours === undefined) throw gone(baseRef);
  if (theirs === undefined) throw gone(pullRef(num));
  return { base: await mergeBase(ctx.db, repo.id, ours, theirs), ours, theirs };
}

/**
 * Merges a pull request: all its changes as one commit on top of its branch, titled "… (#N)". What the branch has got
 * meanwhile stays: files are merged by three ways. Planned without locks; when branch or pull request have moved by
 * then, planned again under their locks, so that commits, pushes and merges race without loss. Commit, ref, reflog,
 * status, events, audit and job are one transaction; of simultaneous merges one takes effect. Throws repo_not_found,
 * unauthenticated, forbidden (no writer), not_found, invalid_input (draft, closed, branch gone), conflict_exists
 * (merged already; files in conflict, which details.filesWithConflicts names), busy.
 */
export async function mergePull(
  ctx: Ctx,
  ref: RepoRef,
  num: number,
  options: { readonly comment?: string | undefined } = {},
): Promise<MergeResult> {
  const { repo, user, discussion } = await requireMaintainer(ctx, ref, num, 'merge pull requests');
  const { baseRef } = requireMergeable(discussion);
  const comment = options.comment?.trim() ? checkText(options.comment, 'comment') : null;
  await countWriting(ctx, user, 'written');
  const mergeCommitOid = await inRefOrder(ctx.db, `${repo.id}:${baseRef}`, async () => {
    ctx.signal.throwIfAborted();
    const seen = await headsNow(ctx, repo, num, baseRef);
    const early = await planMerge(ctx, ctx.db, repo.id, seen);
    return transaction(ctx.db, async (tx) => {
      const heads = await lockHeads(tx, repo, num, baseRef, seen);
      const now = await lockDiscussion(tx, repo.id, num);
      const pull = requireMergeable(now);
      const merge = heads === seen ? early : await planMerge(ctx, tx, repo.id, heads);
      if (merge.kind === 'conflicts') throw mergeConflict(merge.paths);
      const oid = await landMerge(tx, ctx, repo, { ...now, pull }, heads, merge);
      await failpoint('merge.before-status');
      await recordMerge(tx, { repo, num, userId: user.id, oid, base: heads.base, comment });
      return oid;
    });
  });
  return { repo, mergeCommitOid };
}

/** Locks the branch and then the pull request's ref; returns `seen` itself when both are where they were. */
async function lockHeads(tx: Tx, repo: Repo, num: number, baseRef: string, seen: Heads): Promise<Heads> {
  const ours = await lockRef(tx, repo.id, baseRef);
  const theirs = await lockRef(tx, repo.id, pullRef(num));
  if (ours === null) throw gone(baseRef);
  if (theirs === null) throw gone(pullRef(num));
  if (ours === seen.ours && theirs === seen.theirs) return seen;
  return { base: await mergeBase(tx, repo.id, ours, theirs), ours, theirs };
}

async function recordMerge(
  tx: Tx,
  merged: { repo: Repo; num: number; userId: string; oid: Oid; base: Oid | null; comment: string | null },
): Promise<void> {
  const { repo, num, userId, oid, base, comment } = merged;
  await tx.query(
    `UPDATE discussion SET status = 'merged', merge_commit_oid = $3, base_oid = $4 WHERE repo_id = $1 AND num = $2`,
    [repo.id, num, bytesOf(oid), base && bytesOf(base)],
  );
  const id = newEventId();
  await insertEvents(tx, { repoId: repo.id, num }, userId, [
    ...(comment === null
      ? []
      : [{ kind: 'comment' as const, data: { relatedEventId: id }, content: comment }]),
    { id, kind: 'status-change', data: { status: 'merged' } },
  ]);
}
