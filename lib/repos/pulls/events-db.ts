import type { Queryable, Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { newId, type RepoId } from '#lib/base/ids.ts';
import { speakerOf } from './discussions-db.ts';
import type { CommentText, CommentVersion, DiscussionEvent, EventData, EventKind } from './types.ts';

/** A discussion that holds more is too long to read in one answer: it is time for a new one. */
const MAX_EVENTS = 10_000;
const MAX_TEXT_BYTES = 8 * 1024 * 1024;

interface EventRow {
  id: string;
  kind: EventKind;
  author_id: string | null;
  author_name: string | null;
  author_fullname: string | null;
  created_at: Date;
  content: string | null;
  data: Record<string, unknown>;
  edited_at: Date | null;
  editor_id: string | null;
  editor_name: string | null;
  editor_fullname: string | null;
  hidden_at: Date | null;
}

export type NewEvent = {
  [K in EventKind]: {
    readonly id?: string;
    readonly kind: K;
    readonly data: EventData[K];
    /** Markdown; comments only. */
    readonly content?: string;
  };
}[EventKind];

/** Makes an id for an event that another one names. */
export const newEventId = () => newId();

/**
 * Appends events to a discussion, in this order. The row of the discussion is locked by it until the transaction
 * ends. Returns their ids. Throws invalid_input when the discussion has become too long.
 */
export async function insertEvents(
  tx: Tx,
  place: { readonly repoId: RepoId; readonly num: number },
  authorId: string | null,
  events: readonly NewEvent[],
): Promise<string[]> {
  const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(event.content ?? ''), 0);
  const comments = events.filter((event) => event.kind === 'comment').length;
  const { rows } = await tx.query<{ event_count: number; text_bytes: number }>(
    `UPDATE discussion SET event_count = event_count + $3, comment_count = comment_count + $4,
       text_bytes = text_bytes + $5, updated_at = now()
     WHERE repo_id = $1 AND num = $2 RETURNING event_count, text_bytes`,
    [place.repoId, place.num, events.length, comments, bytes],
  );
  const counted = rows[0];
  if (counted === undefined) throw new Error(`discussion ${place.num} of repo ${place.repoId} is missing`);
  if (comments > 0) refuseTooLong(counted.text_bytes, counted.event_count);
  const ids = events.map((event) => event.id ?? newEventId());
  await tx.query(
    `INSERT INTO discussion_event (id, repo_id, num, seq, kind, author_id, content, data)
     SELECT id, $1, $2, $3 + nth, kind, $4, content, data
     FROM unnest($5::text[], $6::text[], $7::text[], $8::jsonb[]) WITH ORDINALITY AS e (id, kind, content, data, nth)`,
    [
      place.repoId,
      place.num,
      counted.event_count - events.length,
      authorId,
      ids,
      events.map((event) => event.kind),
      events.map((event) => event.content ?? null),
      events.map((event) => JSON.stringify(event.data)),
    ],
  );
  return ids;
}

/** Throws invalid_input when a discussion holds more than one answer can carry. */
function refuseTooLong(textBytes: number, events: number): void {
  if (textBytes > MAX_TEXT_BYTES || events > MAX_EVENTS)
    throw hubError('invalid_input', 'This discussion has become too long: open a new one and link to it');
}

/** Adds to the text a discussion holds: an edit keeps the old version. Throws invalid_input when it is too much. */
export async function addText(
  tx: Tx,
  place: { readonly repoId: RepoId; readonly num: number },
  bytes: number,
): Promise<void> {
  const { rows } = await tx.query<{ text_bytes: number }>(
    'UPDATE discussion SET text_bytes = text_bytes + $3 WHERE repo_id = $1 AND num = $2 RETURNING text_bytes',
    [place.repoId, place.num, bytes],
  );
  refuseTooLong(rows[0]?.text_bytes ?? 0, 0);
}

const EVENTS = `SELECT e.id, e.kind, e.author_id, n.name AS author_name, u.fullname AS author_fullname, e.created_at,
    e.content, e.data, e.edited_at, m.id AS editor_id, m.name AS editor_name, v.fullname AS editor_fullname,
    e.hidden_at
  FROM discussion_event e
  LEFT JOIN namespace n ON n.id = e.author_id AND n.deleted_at IS NULL LEFT JOIN user_account u ON u.id = n.id
  LEFT JOIN namespace m ON m.id = e.edited_by AND m.deleted_at IS NULL LEFT JOIN user_account v ON v.id = m.id
  WHERE e.repo_id = $1 AND e.num = $2`;

/** Events of a discussion in their order, all or those of `ids`. Plan: one range of an index, then the edits by id. */
export async function selectEvents(
  db: Queryable,
  place: { readonly repoId: RepoId; readonly num: number },
  ids: readonly string[] | null = null,
): Promise<DiscussionEvent[]> {
  const { rows } = await db.query<EventRow>(
    `${EVENTS} AND ($3::bpchar[] IS NULL OR e.id = ANY($3::bpchar[])) ORDER BY e.seq`,
    [place.repoId, place.num, ids],
  );
  const edited = rows.flatMap((row) => (row.edited_at === null ? [] : [row.id]));
  const versions = await selectVersions(db, edited);
  return rows.map((row) => eventOf(row, versions.get(row.id) ?? []));
}

async function selectVersions(
  db: Queryable,
  eventIds: readonly string[],
): Promise<Map<string, CommentVersion[]>> {
  if (eventIds.length === 0) return new Map();
  const { rows } = await db.query<{
    event_id: string;
    author_id: string | null;
    name: string | null;
    fullname: string | null;
    at: Date;
  }>(
    `SELECT v.event_id, v.author_id, n.name, u.fullname, v.at
     FROM discussion_edit v LEFT JOIN namespace n ON n.id = v.author_id AND n.deleted_at IS NULL
     LEFT JOIN user_account u ON u.id = n.id
     WHERE v.event_id = ANY($1::bpchar[]) ORDER BY v.event_id, v.version`,
    [eventIds],
  );
  const byEvent = Map.groupBy(rows, (row) => row.event_id);
  return new Map(
    [...byEvent].map(([id, list]): [string, CommentVersion[]] => [
      id,
      list.map((row) => ({ author: speakerOf(row.author_id, row.name, row.fullname), at: row.at })),
    ]),
  );
}

function eventOf(row: EventRow, history: readonly CommentVersion[]): DiscussionEvent {
  const comment: CommentText | null =
    row.kind === 'comment'
      ? {
          raw: row.hidden_at === null ? (row.content ?? '') : '',
          editedAt: row.edited_at,
          editedBy: speakerOf(row.editor_id, row.editor_name, row.editor_fullname),
          isHidden: row.hidden_at !== null,
          history,
        }
      : null;
  return {
    id: row.id,
    kind: row.kind,
    author: speakerOf(row.author_id, row.author_name, row.author_fullname),
    createdAt: row.created_at,
    data: row.data,
    comment,
  } as DiscussionEvent; // what insertEvents wrote
}
