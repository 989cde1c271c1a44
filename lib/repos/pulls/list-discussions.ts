import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '../access.ts';
import type { Repo, RepoRef } from '../types.ts';
import { DISCUSSION_COLUMNS, DISCUSSION_TABLES, discussionOf } from './discussions-db.ts';
import type { Discussion } from './types.ts';

export interface DiscussionQuery {
  readonly type: 'all' | 'discussion' | 'pull_request';
  /** Drafts count as open, merged ones as closed; either can be asked for alone. */
  readonly status: 'all' | 'open' | 'closed' | 'draft' | 'merged';
  /** User name. */
  readonly author?: string | undefined;
  /** Part of a title. */
  readonly search?: string | undefined;
  readonly sort: 'recently-created' | 'recently-updated' | 'most-discussed';
  /** Pinned ones first. */
  readonly pinnedFirst?: boolean;
  /** 0-based. */
  readonly page: number;
  readonly pageSize: number;
}

export interface DiscussionPage {
  readonly repo: Repo;
  readonly discussions: readonly Discussion[];
  /** How many there are after all filters. */
  readonly count: number;
  /** Position of the first one of this page. */
  readonly start: number;
  /** How many there are in each state after all filters but the status. */
  readonly open: number;
  readonly closed: number;
}

const STATUSES: Record<DiscussionQuery['status'], readonly string[]> = {
  all: ['draft', 'open', 'closed', 'merged'],
  open: ['draft', 'open'],
  closed: ['closed', 'merged'],
  draft: ['draft'],
  merged: ['merged'],
};

const ORDER: Record<DiscussionQuery['sort'], string> = {
  'recently-created': 'd.num DESC',
  'recently-updated': 'd.updated_at DESC, d.num DESC',
  'most-discussed': 'd.comment_count DESC, d.num DESC',
};

const MAX_PAGE = 100_000;
const escapeLike = (text: string) => text.replaceAll(/[\\%_]/g, '\\$&').replaceAll('\0', '');

/** One page of a repo's discussions and pull requests. Two queries over the repo's rows. Throws repo_not_found, invalid_input. */
export async function listDiscussions(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  ref: RepoRef,
  query: DiscussionQuery,
): Promise<DiscussionPage> {
  const repo = await requireRead(ctx, ref);
  if (!Number.isSafeInteger(query.page) || query.page < 0 || query.page > MAX_PAGE)
    throw hubError('invalid_input', '"p" must be the number of a page, from 0');
  const where = `d.repo_id = $1 AND ($2::boolean IS NULL OR d.is_pull = $2)
    AND ($3::text IS NULL OR n.name_key = $3) AND ($4::text IS NULL OR d.title ILIKE $4)`;
  const isPull = query.type === 'all' ? null : query.type === 'pull_request';
  const search = query.search?.trim() ? `%${escapeLike(query.search.trim()).slice(0, 200)}%` : null;
  const author = query.author ? query.author.toLowerCase().replaceAll('\0', '') : null;
  const filters = [repo.id, isPull, author, search];
  const counted = await ctx.db.query<{ status: string; total: number }>(
    `SELECT d.status, count(*) AS total FROM ${DISCUSSION_TABLES} WHERE ${where} GROUP BY d.status`,
    filters,
  );
  const start = query.page * query.pageSize;
  const { rows } = await ctx.db.query<Parameters<typeof discussionOf>[0]>(
    `SELECT ${DISCUSSION_COLUMNS} FROM ${DISCUSSION_TABLES} WHERE ${where} AND d.status = ANY($5::text[])
     ORDER BY ${query.pinnedFirst ? 'd.is_pinned DESC, ' : ''}${ORDER[query.sort]} LIMIT $6 OFFSET $7`,
    [...filters, STATUSES[query.status], query.pageSize, start],
  );
  const countOf = (status: DiscussionQuery['status']) =>
    counted.rows.reduce((sum, row) => sum + (STATUSES[status].includes(row.status) ? row.total : 0), 0);
  return {
    repo,
    discussions: rows.map(discussionOf),
    count: countOf(query.status),
    start,
    open: countOf('open'),
    closed: countOf('closed'),
  };
}
