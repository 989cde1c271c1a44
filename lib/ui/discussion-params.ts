import { notFound } from 'next/navigation';
import { oneOf, type PageQuery } from './query.ts';
import { pageNumber } from './repo-params.ts';
import type { DiscussionPart } from './view-models/discussion-page.ts';
import type { DiscussionFilter } from './view-models/discussions-page.ts';

/** One of the words, or the first of them for anything else. */
function wordOf<T extends string>(value: string | undefined, words: readonly [T, ...T[]]): T {
  return words.find((word) => word === value) ?? words[0];
}

/** The filters in the address of a list; what is nonsense is the default. */
export async function filterOf(query: PageQuery): Promise<DiscussionFilter> {
  const [type, status, sort, author, search, page] = await Promise.all(
    ['type', 'status', 'sort', 'author', 'search', 'p'].map((name) => oneOf(query, name)),
  );
  return {
    type: wordOf(type, ['all', 'discussion', 'pull_request']),
    status: wordOf(status, ['open', 'all', 'closed', 'draft', 'merged']),
    sort: wordOf(sort, ['recently-created', 'recently-updated', 'most-discussed']),
    author: author || undefined,
    search: search || undefined,
    page: pageNumber(page),
  };
}

/** Number and part in the address of one discussion. Anything else is not found. */
export async function discussionOf(
  params: Promise<{ num: string; part?: string[] }>,
): Promise<{ num: number; part: DiscussionPart }> {
  const { num, part = [] } = await params;
  const [name, ...more] = part;
  const isKnown = name === undefined || name === 'commits' || name === 'files';
  if (!/^[1-9]\d{0,8}$/.test(num) || !isKnown || more.length > 0) notFound();
  return { num: Number(num), part: name ?? 'conversation' };
}
