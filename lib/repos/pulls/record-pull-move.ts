import type { Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { Actor } from '#lib/identity/audit.ts';
import { selectSummaries } from '../commits-db.ts';
import { selectRefs } from '../db.ts';
import type { RefMove } from '../move-ref.ts';
import { walkApart } from '../walk-commits.ts';
import { discussionNotFound, lockDiscussion } from './discussions-db.ts';
import { insertEvents, type NewEvent } from './events-db.ts';
import { type Discussion, numOfPullRef, type PullFacts } from './types.ts';

/** More commits than this at once are not listed one by one in the conversation. */
const MAX_COMMIT_EVENTS = 250;
/** A walk that looks at more commits than this is given up: what was found until then is listed. */
const MAX_WALKED = 20_000;

/** Commits that `right` has and `left` has not, newest first, at most `limit`. */
export async function commitsAhead(
  db: Tx | Parameters<typeof walkApart>[0],
  repoId: RepoId,
  left: Oid,
  right: Oid,
  limit: number,
): Promise<Oid[]> {
  const found: Oid[] = [];
  let walked = 0;
  for await (const { oid, side } of walkApart(db, repoId, left, right)) {
    if (side === 'right') found.push(oid);
    if (found.length >= limit || ++walked >= MAX_WALKED) break;
  }
  return found;
}

/** The commits that came to the pull request by this move, oldest first: not those that its base has. */
async function newCommits(tx: Tx, move: RefMove, pull: PullFacts): Promise<Oid[]> {
  const { repo, oldOid, newOid } = move;
  if (newOid === null) return [];
  const [base] = await selectRefs(tx, repo.id, [pull.baseRef]);
  const since = oldOid ?? base?.oid;
  if (since === undefined) return [];
  const ahead = await commitsAhead(tx, repo.id, since, newOid, MAX_COMMIT_EVENTS);
  if (oldOid === null || base === undefined || ahead.length === 0) return ahead.toReversed();
  const proposed = new Set(await commitsAhead(tx, repo.id, base.oid, newOid, MAX_COMMIT_EVENTS));
  return ahead.filter((oid) => proposed.has(oid)).toReversed();
}

async function commitEvents(tx: Tx, move: RefMove, pull: PullFacts): Promise<NewEvent[]> {
  const oids = await newCommits(tx, move, pull);
  const summaries = await selectSummaries(tx, move.repo.id, oids);
  return oids.map((oid) => ({
    kind: 'commit',
    data: { oid, subject: summaries.get(oid)?.title ?? '' },
  }));
}

function refuseEnded(discussion: Discussion): void {
  const { num, status } = discussion;
  if (status === 'merged')
    throw hubError('forbidden', `Pull request #${num} is merged: open a new one for more changes`);
  if (status === 'closed')
    throw hubError('forbidden', `Pull request #${num} is closed: reopen it before you add commits`);
}

/**
 * Part of moveRef for refs/pr/*: writes the move into the pull request's conversation, in the same transaction. Throws
 * forbidden when the pull request is merged or closed (its ref may still be deleted), not_found when there is none of
 * that number: such refs come into being with their pull requests only.
 */
export async function recordPullMove(
  tx: Tx,
  { principal }: Pick<Actor, 'principal'>,
  move: RefMove,
): Promise<void> {
  const { repo, ref, oldOid, newOid, isForced } = move;
  const num = numOfPullRef(ref);
  if (num === null) throw hubError('forbidden', `${ref} is not the ref of a pull request`);
  const discussion = await lockDiscussion(tx, repo.id, num);
  const { pull } = discussion;
  if (pull === null) throw discussionNotFound(num);
  const place = { repoId: repo.id, num };
  const actor = principal.kind === 'user' ? principal.id : null;
  if (newOid === null) {
    await insertEvents(tx, place, actor, [{ kind: 'ref-deleted', data: {} }]);
    return;
  }
  const isRewrite = move.reason === 'rewrite'; // of the whole history: what is over is no exception
  if (!isRewrite) refuseEnded(discussion);
  await tx.query('UPDATE discussion SET head_oid = $3 WHERE repo_id = $1 AND num = $2', [
    repo.id,
    num,
    bytesOf(newOid),
  ]);
  const isRebase = move.reason === 'pull';
  const events: NewEvent[] = [];
  if (isForced && oldOid !== null)
    events.push({ kind: 'head-change', data: { from: oldOid, to: newOid, isRebase } });
  if (!isRewrite && !(isForced && isRebase)) events.push(...(await commitEvents(tx, move, pull)));
  if (events.length > 0) await insertEvents(tx, place, actor, events);
}
