import { hubError } from '#lib/base/errors.ts';
import { hexOf, type Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { visibleRepos } from '#lib/repos/access.ts';
import { REPO_COLUMNS, type RepoRow, repoOf } from '#lib/repos/db.ts';
import type { Repo, RepoType } from '#lib/repos/types.ts';
import { FACTS_COLUMNS, type FactsRow, factsOfRow } from './db.ts';
import type { RepoFacts } from './types.ts';

/** Sort key -> column. All of them are never null; ties are broken by the repo's key, so pages never overlap. */
const SORT_COLUMNS = {
  createdAt: { column: 'r.created_at', cast: 'timestamptz' },
  lastModified: { column: 'r.updated_at', cast: 'timestamptz' },
  downloads: { column: 'r.downloads', cast: 'bigint' },
  likes: { column: 'r.likes', cast: 'bigint' },
  trendingScore: { column: 'r.likes', cast: 'bigint' },
  id: { column: 'r.id', cast: 'bigint' },
} as const;

export type RepoSort = keyof typeof SORT_COLUMNS;

export interface RepoQuery {
  readonly type: RepoType;
  /** Each word must occur in `namespace/name`; no pattern characters, case does not matter. */
  readonly search?: readonly string[];
  /** Namespace, whatever its case. */
  readonly author?: string;
  /** All of these tags. */
  readonly filter?: readonly string[];
  readonly pipelineTag?: string;
  readonly minParameters?: number;
  readonly maxParameters?: number;
  readonly sort?: RepoSort;
  readonly direction?: 'ascending' | 'descending';
  /** 1 to 1000. */
  readonly limit: number;
  readonly cursor?: string;
}

export interface ListedRepo {
  readonly repo: Repo;
  /** Head of the default branch; null when it has none. */
  readonly headOid: Oid | null;
  /** As last computed; null until the first time. */
  readonly facts: RepoFacts | null;
}

type Row = RepoRow & Partial<FactsRow> & { head: Buffer | null };

/** True for a sort key that listRepos knows. */
export function isRepoSort(text: string): text is RepoSort {
  return Object.hasOwn(SORT_COLUMNS, text);
}

/**
 * One page of the live repos that the caller may read, by keyset: no page repeats or skips a repo that did not
 * change meanwhile. Throws invalid_input for a cursor that this function did not make.
 */
export async function listRepos(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  query: RepoQuery,
): Promise<{ items: ListedRepo[]; nextCursor: string | null }> {
  const sort = query.sort ?? 'trendingScore';
  const { text, values } = listSql(ctx, query, sort);
  const { rows } = await ctx.db.query<Row>(text, values);
  const items = rows.slice(0, query.limit).map((row) => ({
    repo: repoOf(row),
    headOid: row.head ? hexOf<Oid>(row.head) : null,
    facts: row.commit_oid ? factsOfRow(row as FactsRow) : null,
  }));
  const last = items.at(-1);
  return { items, nextCursor: rows.length > query.limit && last ? cursorOf(last.repo, sort) : null };
}

/** Filters by name and tags scan the visible repos of one type; the order is by keyset with LIMIT. */
function listSql(ctx: Pick<Ctx, 'principal'>, query: RepoQuery, sort: RepoSort) {
  const values: unknown[] = [query.type];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const visible = visibleRepos(ctx.principal, 'r', values.length + 1);
  values.push(...visible.values);
  const where = ['r.type = $1', visible.sql];
  for (const word of words(query.search ?? []))
    where.push(`(n.name || '/' || r.name) ILIKE ${bind(`%${word.replace(/[\\%_]/g, '\\$&')}%`)}`);
  if (query.author !== undefined) where.push(`n.name_key = ${bind(query.author.toLowerCase())}`);
  if (query.pipelineTag !== undefined) where.push(`f.pipeline_tag = ${bind(query.pipelineTag)}`);
  if (query.minParameters !== undefined) where.push(`f.parameters >= ${bind(query.minParameters)}::bigint`);
  if (query.maxParameters !== undefined) where.push(`f.parameters <= ${bind(query.maxParameters)}::bigint`);
  if (query.filter?.length) where.push(`f.tags @> ${bind(query.filter)}::text[]`);
  const descending = query.direction !== 'ascending';
  const { column, cast } = SORT_COLUMNS[sort];
  if (query.cursor !== undefined) {
    const { value, id } = parseCursor(query.cursor, sort);
    where.push(`(${column}, r.id) ${descending ? '<' : '>'} (${bind(value)}::${cast}, ${bind(id)}::bigint)`);
  }
  const order = descending ? 'DESC' : 'ASC';
  const text = `SELECT ${REPO_COLUMNS}, h.oid AS head, ${FACTS_COLUMNS}
    FROM repo r JOIN namespace n ON n.id = r.namespace_id
    LEFT JOIN ref h ON h.repo_id = r.id AND h.name = 'refs/heads/' || r.default_branch
    LEFT JOIN repo_facts f ON f.repo_id = r.id
    WHERE ${where.join(' AND ')}
    ORDER BY ${column} ${order}, r.id ${order} LIMIT ${bind(query.limit + 1)}`;
  return { text, values };
}

function words(search: readonly string[]): string[] {
  return search
    .flatMap((text) => text.replaceAll('\0', '').split(/\s+/))
    .filter(Boolean)
    .slice(0, 20);
}

/** The sort value and key of the last repo of a page. */
function cursorOf(repo: Repo, sort: RepoSort): string {
  const value =
    sort === 'createdAt'
      ? repo.createdAt.getTime()
      : sort === 'lastModified'
        ? repo.updatedAt.getTime()
        : sort === 'id'
          ? repo.id
          : sort === 'downloads'
            ? repo.downloads
            : repo.likes;
  return Buffer.from(`${sort}.${value}.${repo.id}`).toString('base64url');
}

function parseCursor(cursor: string, sort: RepoSort): { value: Date | number; id: number } {
  const match = /^([a-zA-Z]+)\.(\d{1,15})\.(\d{1,15})$/.exec(
    Buffer.from(cursor, 'base64url').toString('latin1'),
  );
  if (match?.[1] !== sort) throw hubError('invalid_input', '"cursor" is not one that this listing gave');
  const value = Number(match[2]);
  return {
    value: SORT_COLUMNS[sort].cast === 'timestamptz' ? new Date(value) : value,
    id: Number(match[3]),
  };
}
