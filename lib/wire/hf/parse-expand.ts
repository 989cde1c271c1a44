import { hubError } from '#lib/base/errors.ts';
import type { RepoType } from '#lib/repos/types.ts';
import { expandable, isExpandable } from './serialize-repo.ts';

/**
 * The `expand` of a query, in all spellings clients use: repeated, comma-joined, `expand[]`. Null when absent.
 * An unknown name is refused with the list of known ones, in the words that clients look for.
 */
export function parseExpand(type: RepoType, query: URLSearchParams): readonly string[] | null {
  const names = [...query.getAll('expand'), ...query.getAll('expand[]')]
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.length === 0) return null;
  if (!names.every((name) => isExpandable(type, name)))
    throw hubError('invalid_input', `"expand" must be one of [${expandable(type).join(', ')}]`);
  return [...new Set(names)];
}
