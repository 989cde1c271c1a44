import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { auditSubject } from '../move-ref.ts';
import type { Repo, RepoRef } from '../types.ts';
import { lockDiscussion } from './discussions-db.ts';
import { addText, selectEvents } from './events-db.ts';
import { checkText, countWriting, requireDiscussion } from './participation.ts';
import type { DiscussionEvent } from './types.ts';

const EVENT_ID = /^[0-9a-f]{24}$/i;
const MAX_VERSIONS = 200;

interface CommentRow {
  id: string;
  author_id: string | null;
  content: string;
  edits: number;
  created_at: Date;
  edited_at: Date | null;
  edited_by: string | null;
  hidden_at: Date | null;
}

/** A comment of this very discussion, locked. Throws not_found: also for ids of other discussions and of events that are no comments. */
async function lockComment(tx: Tx, place: { repoId: RepoId; num: number }, id: string): Promise<CommentRow> {
  const { rows } = EVENT_ID.test(id)
    ? await tx.query<CommentRow>(
        `SELECT id, author_id, content, edits, created_at, edited_at, edited_by, hidden_at FROM discussion_event
         WHERE id = $1 AND repo_id = $2 AND num = $3 AND kind = 'comment' FOR UPDATE`,
        [id.toLowerCase(), place.repoId, place.num],
      )
    : { rows: [] };
  if (rows[0] === undefined) throw hubError('not_found', 'There is no such comment in this discussion');
  return rows[0];
}

interface Found {
  readonly repo: Repo;
  readonly event: DiscussionEvent;
}

async function reread(ctx: Ctx, repo: Repo, num: number, id: string): Promise<Found> {
  const [event] = await selectEvents(ctx.db, { repoId: repo.id, num }, [id.toLowerCase()]);
  if (event === undefined) throw hubError('not_found', 'The discussion has just been deleted');
  return { repo, event };
}

/**
 * Replaces the text of a comment; the old one stays in its history. Only its author may. Throws repo_not_found,
 * unauthenticated, forbidden, not_found, invalid_input (empty, too long, hidden, edited 200 times), rate_limited.
 */
export async function editComment(
  ctx: Ctx,
  ref: RepoRef,
  num: number,
  comment: { readonly id: string; readonly text: string },
): Promise<Found> {
  const { repo, user } = await requireDiscussion(ctx, ref, num);
  const content = checkText(comment.text, 'content');
  const place = { repoId: repo.id, num };
  await countWriting(ctx, user, 'written');
  await transaction(ctx.db, async (tx) => {
    await lockDiscussion(tx, repo.id, num);
    const old = await lockComment(tx, place, comment.id);
    if (old.author_id !== user.id) throw hubError('forbidden', 'Only the author of a comment can edit it');
    if (old.hidden_at !== null) throw hubError('invalid_input', 'This comment is hidden');
    if (old.content === content) return;
    if (old.edits >= MAX_VERSIONS)
      throw hubError('invalid_input', `This comment was edited ${MAX_VERSIONS} times: write a new one`);
    await addText(tx, place, Buffer.byteLength(content));
    await tx.query(
      'INSERT INTO discussion_edit (event_id, version, content, author_id, at) VALUES ($1, $2, $3, $4, $5)',
      [old.id, old.edits + 1, old.content, old.edited_by ?? old.author_id, old.edited_at ?? old.created_at],
    );
    await tx.query(
      'UPDATE discussion_event SET content = $2, edits = edits + 1, edited_at = now(), edited_by = $3 WHERE id = $1',
      [old.id, content, user.id],
    );
  });
  return reread(ctx, repo, num, comment.id);
}

/**
 * Hides a comment for good: its author may, and who may write to the repo. Hiding a hidden one changes nothing. Throws
 * repo_not_found, unauthenticated, forbidden, not_found.
 */
export async function hideComment(ctx: Ctx, ref: RepoRef, num: number, id: string): Promise<Found> {
  const { repo, user, isWriter } = await requireDiscussion(ctx, ref, num);
  await transaction(ctx.db, async (tx) => {
    const old = await lockComment(tx, { repoId: repo.id, num }, id);
    if (old.author_id !== user.id && !isWriter)
      throw hubError('forbidden', 'Only its author and who may write to the repository can hide a comment');
    if (old.hidden_at !== null) return;
    await tx.query('UPDATE discussion_event SET hidden_at = now(), hidden_by = $2 WHERE id = $1', [
      old.id,
      user.id,
    ]);
    await audit(tx, ctx, {
      action: 'discussion.hide',
      subject: auditSubject(repo),
      details: { num, event: old.id },
    });
  });
  return reread(ctx, repo, num, id);
}
