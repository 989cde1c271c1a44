import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { Repo, RepoRef } from '../types.ts';
import { lockDiscussion } from './discussions-db.ts';
import { insertEvents, selectEvents } from './events-db.ts';
import { checkText, countWriting, requireDiscussion } from './participation.ts';
import type { DiscussionEvent, LineAnchor } from './types.ts';

const MAX_LINE = 10_000_000;

/** Throws invalid_input unless the anchor may stand in a pull request's changes. */
function checkAnchor(anchor: LineAnchor): LineAnchor {
  if (anchor.path === '' || anchor.path.length > 4096 || anchor.path.includes('\0'))
    throw hubError('invalid_input', '"path" must be the path of a file in the changes');
  if (!Number.isSafeInteger(anchor.line) || anchor.line < 1 || anchor.line > MAX_LINE)
    throw hubError('invalid_input', '"line" must be the number of a line, from 1');
  return anchor;
}

/**
 * Adds a comment, in a pull request also one that stands at a line of its changes. Returns its event. Throws
 * repo_not_found, unauthenticated, forbidden, not_found, invalid_input, rate_limited.
 */
export async function writeComment(
  ctx: Ctx,
  ref: RepoRef,
  num: number,
  comment: { readonly text: string; readonly anchor?: Omit<LineAnchor, 'commitOid'> | undefined },
): Promise<{ repo: Repo; event: DiscussionEvent }> {
  const { repo, user } = await requireDiscussion(ctx, ref, num);
  const content = checkText(comment.text, 'comment');
  await countWriting(ctx, user, 'written');
  const place = { repoId: repo.id, num };
  const id = await transaction(ctx.db, async (tx) => {
    const { pull } = await lockDiscussion(tx, repo.id, num);
    if (comment.anchor && pull === null)
      throw hubError('invalid_input', 'Only pull requests have lines to comment on');
    const anchor =
      comment.anchor && pull ? checkAnchor({ ...comment.anchor, commitOid: pull.headOid }) : undefined;
    const [made] = await insertEvents(tx, place, user.id, [
      { kind: 'comment', data: anchor ? { anchor } : {}, content },
    ]);
    return made as string;
  });
  const [event] = await selectEvents(ctx.db, place, [id]);
  if (event === undefined) throw hubError('not_found', 'The discussion has just been deleted');
  return { repo, event };
}
