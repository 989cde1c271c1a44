import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { selectRefs } from '../db.ts';
import { auditSubject } from '../move-ref.ts';
import type { Repo, RepoRef } from '../types.ts';
import { lockDiscussion } from './discussions-db.ts';
import { insertEvents, newEventId, selectEvents } from './events-db.ts';
import { checkText, checkTitle, countWriting, requireMaintainer, requireSteward } from './participation.ts';
import { type Discussion, type DiscussionEvent, pullRef } from './types.ts';

interface Changed {
  readonly repo: Repo;
  readonly event: DiscussionEvent;
}

async function eventIn(ctx: Ctx, repo: Repo, num: number, id: string): Promise<Changed> {
  const [event] = await selectEvents(ctx.db, { repoId: repo.id, num }, [id]);
  if (event === undefined) throw hubError('not_found', 'The discussion has just been deleted');
  return { repo, event };
}

/** Renames a discussion. Throws repo_not_found, unauthenticated, forbidden, not_found, invalid_input, rate_limited. */
export async function renameDiscussion(
  ctx: Ctx,
  ref: RepoRef,
  num: number,
  newTitle: string,
): Promise<Changed> {
  const { repo, user } = await requireSteward(ctx, ref, num, 'rename it');
  const to = checkTitle(newTitle);
  await countWriting(ctx, user, 'written');
  const id = await transaction(ctx.db, async (tx) => {
    const { title: from } = await lockDiscussion(tx, repo.id, num);
    await tx.query('UPDATE discussion SET title = $3 WHERE repo_id = $1 AND num = $2', [repo.id, num, to]);
    const place = { repoId: repo.id, num };
    const [made] = await insertEvents(tx, place, user.id, [{ kind: 'title-change', data: { from, to } }]);
    return made as string;
  });
  return eventIn(ctx, repo, num, id);
}

/** Throws invalid_input or conflict_exists when the discussion cannot get this status. */
async function refuseStatus(
  tx: Tx,
  repo: Repo,
  { num, status: now, pull }: Discussion,
  status: 'open' | 'closed',
): Promise<void> {
  if (now === 'merged') throw hubError('conflict_exists', `Pull request #${num} is merged already`);
  if (now === status) throw hubError('conflict_exists', `#${num} is ${status} already`);
  if (status !== 'open' || pull === null) return;
  const found = new Set((await selectRefs(tx, repo.id, [pull.baseRef, pullRef(num)])).map((row) => row.name));
  if (!found.has(pullRef(num)))
    throw hubError('invalid_input', `The commits of pull request #${num} were deleted: open a new one`);
}

/**
 * Opens or closes a discussion; opening a draft publishes it. A comment goes along. Of simultaneous changes each sees
 * the one before. Throws repo_not_found, unauthenticated, forbidden, not_found, invalid_input, conflict_exists (it has
 * that status already, or is merged), rate_limited.
 */
export async function changeStatus(
  ctx: Ctx,
  ref: RepoRef,
  num: number,
  change: { readonly status: 'open' | 'closed'; readonly comment?: string | undefined },
): Promise<Changed> {
  const { repo, user } = await requireSteward(ctx, ref, num, 'open or close it');
  const { status } = change;
  const content = change.comment?.trim() ? checkText(change.comment, 'comment') : null;
  await countWriting(ctx, user, 'written');
  const id = newEventId();
  await transaction(ctx.db, async (tx) => {
    await refuseStatus(tx, repo, await lockDiscussion(tx, repo.id, num), status);
    await tx.query('UPDATE discussion SET status = $3 WHERE repo_id = $1 AND num = $2', [
      repo.id,
      num,
      status,
    ]);
    await insertEvents(tx, { repoId: repo.id, num }, user.id, [
      ...(content === null ? [] : [{ kind: 'comment' as const, data: { relatedEventId: id }, content }]),
      { id, kind: 'status-change', data: { status } },
    ]);
    await audit(tx, ctx, {
      action: 'discussion.status',
      subject: auditSubject(repo),
      details: { num, status },
    });
  });
  return eventIn(ctx, repo, num, id);
}

/** Pins a discussion to the top of the list, or lets it go. Who may write to the repo may; already so changes nothing. */
export async function pinDiscussion(ctx: Ctx, ref: RepoRef, num: number, pinned: boolean): Promise<Repo> {
  const { repo, user } = await requireMaintainer(ctx, ref, num, 'pin it');
  await transaction(ctx.db, async (tx) => {
    if ((await lockDiscussion(tx, repo.id, num)).isPinned === pinned) return;
    await tx.query('UPDATE discussion SET is_pinned = $3 WHERE repo_id = $1 AND num = $2', [
      repo.id,
      num,
      pinned,
    ]);
    const place = { repoId: repo.id, num };
    await insertEvents(tx, place, user.id, [{ kind: 'pinning-change', data: { pinned } }]);
  });
  return repo;
}
