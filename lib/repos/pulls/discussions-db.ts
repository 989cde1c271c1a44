import type { Queryable, Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { repoNotFound } from '../access.ts';
import type { Discussion, DiscussionStatus, Speaker } from './types.ts';

interface DiscussionRow {
  num: number;
  title: string;
  status: DiscussionStatus;
  is_pull: boolean;
  author_id: string;
  author_name: string | null;
  author_fullname: string | null;
  is_pinned: boolean;
  created_at: Date;
  updated_at: Date;
  comment_count: number;
  base_ref: string | null;
  head_oid: Buffer | null;
  base_oid: Buffer | null;
  merge_commit_oid: Buffer | null;
}

/** Columns that make a Discussion, and the tables they come from: discussion is d. */
export const DISCUSSION_COLUMNS = `d.num, d.title, d.status, d.is_pull, d.author_id, n.name AS author_name,
  u.fullname AS author_fullname, d.is_pinned, d.created_at, d.updated_at, d.comment_count, d.base_ref, d.head_oid,
  d.base_oid, d.merge_commit_oid`;
export const DISCUSSION_TABLES = `discussion d
  LEFT JOIN namespace n ON n.id = d.author_id AND n.deleted_at IS NULL
  LEFT JOIN user_account u ON u.id = n.id`;

/** Who an id and its names are; null when the account is gone. */
export function speakerOf(id: string | null, name: string | null, fullname: string | null): Speaker | null {
  return id === null || name === null ? null : { id, name, fullname: fullname || name };
}

const oidOrNull = (bytes: Buffer | null): Oid | null => (bytes === null ? null : hexOf<Oid>(bytes));

/** A row of DISCUSSION_COLUMNS as a Discussion. */
export function discussionOf(row: DiscussionRow): Discussion {
  const { base_ref: baseRef, head_oid: head } = row;
  return {
    num: row.num,
    title: row.title,
    status: row.status,
    author: speakerOf(row.author_id, row.author_name, row.author_fullname),
    isPinned: row.is_pinned,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    commentCount: row.comment_count,
    pull:
      !row.is_pull || baseRef === null || head === null
        ? null
        : {
            baseRef,
            headOid: hexOf<Oid>(head),
            baseOid: oidOrNull(row.base_oid),
            mergeCommitOid: oidOrNull(row.merge_commit_oid),
          },
  };
}

async function selectOne(
  db: Queryable,
  repoId: RepoId,
  num: number,
  lock: '' | 'FOR UPDATE OF d',
): Promise<Discussion | null> {
  const { rows } = await db.query<DiscussionRow>(
    `SELECT ${DISCUSSION_COLUMNS} FROM ${DISCUSSION_TABLES} WHERE d.repo_id = $1 AND d.num = $2 ${lock}`,
    [repoId, num],
  );
  return rows[0] ? discussionOf(rows[0]) : null;
}

/** The error for a number that no discussion of the repo has. */
export const discussionNotFound = (num: number) =>
  hubError('not_found', `There is no discussion or pull request #${num} here`);

/** One discussion. Throws not_found. Plan: discussion_pkey. */
export async function readDiscussion(db: Queryable, repoId: RepoId, num: number): Promise<Discussion> {
  const found = await selectOne(db, repoId, num, '');
  if (found === null) throw discussionNotFound(num);
  return found;
}

/**
 * readDiscussion that holds its row until the transaction ends: changes of one discussion happen one after another.
 * In the order of locks it stands after refs and before objects.
 */
export async function lockDiscussion(tx: Tx, repoId: RepoId, num: number): Promise<Discussion> {
  const found = await selectOne(tx, repoId, num, 'FOR UPDATE OF d');
  if (found === null) throw discussionNotFound(num);
  return found;
}

/**
 * The next number of the repo. Whoever asks next waits until this transaction ends, so that numbers have neither gaps
 * nor twins. Throws repo_not_found when the repo was deleted meanwhile.
 */
export async function takeNumber(tx: Tx, repoId: RepoId): Promise<number> {
  const { rows } = await tx.query<{ last_num: number }>(
    `INSERT INTO discussion_board AS b (repo_id, last_num)
     SELECT id, 1 FROM repo WHERE id = $1 AND deleted_at IS NULL
     ON CONFLICT (repo_id) DO UPDATE SET last_num = b.last_num + 1 RETURNING last_num`,
    [repoId],
  );
  if (rows[0] === undefined) throw repoNotFound();
  return rows[0].last_num;
}

export interface NewDiscussionRow {
  readonly repoId: RepoId;
  readonly num: number;
  readonly title: string;
  readonly status: DiscussionStatus;
  readonly authorId: string;
  readonly pull: { readonly baseRef: string; readonly headOid: Oid } | null;
}

/** Writes a discussion without events. */
export async function insertDiscussion(tx: Tx, row: NewDiscussionRow): Promise<void> {
  await tx.query(
    `INSERT INTO discussion (repo_id, num, title, status, is_pull, author_id, base_ref, head_oid)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      row.repoId,
      row.num,
      row.title,
      row.status,
      row.pull !== null,
      row.authorId,
      row.pull?.baseRef ?? null,
      row.pull && bytesOf(row.pull.headOid),
    ],
  );
}

/** Whether the repo takes no discussions and pull requests. Plan: discussion_board_pkey. */
export async function areDiscussionsDisabled(db: Queryable, repoId: RepoId): Promise<boolean> {
  const { rows } = await db.query<{ is_disabled: boolean }>(
    'SELECT is_disabled FROM discussion_board WHERE repo_id = $1',
    [repoId],
  );
  return rows[0]?.is_disabled ?? false;
}

/** Open discussions and pull requests (drafts count as open), for the tab. Plan: discussion_repo_id_status_idx. */
export async function countOpen(db: Queryable, repoId: RepoId): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    `SELECT count(*) AS total FROM discussion WHERE repo_id = $1 AND status IN ('open', 'draft')`,
    [repoId],
  );
  return rows[0]?.total ?? 0;
}

/** Sets whether the repo takes discussions and pull requests. */
export async function disableDiscussions(tx: Tx, repoId: RepoId, isDisabled: boolean): Promise<void> {
  await tx.query(
    `INSERT INTO discussion_board (repo_id, is_disabled) VALUES ($1, $2)
     ON CONFLICT (repo_id) DO UPDATE SET is_disabled = $2`,
    [repoId, isDisabled],
  );
}
