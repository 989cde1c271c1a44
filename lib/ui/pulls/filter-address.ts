import type { DiscussionFilter } from '../view-models/discussions-page.ts';

export type ShownFilter = Omit<DiscussionFilter, 'page'>;

/** The address of the list with these filters; what is the default is left out. */
export function filterAddress(action: string, filter: ShownFilter, page = 0): string {
  const query = new URLSearchParams();
  if (filter.type !== 'all') query.set('type', filter.type);
  if (filter.status !== 'open') query.set('status', filter.status);
  if (filter.author) query.set('author', filter.author);
  if (filter.search) query.set('search', filter.search);
  if (filter.sort !== 'recently-created') query.set('sort', filter.sort);
  if (page > 0) query.set('p', String(page));
  const text = query.toString();
  return text ? `${action}?${text}` : action;
}
