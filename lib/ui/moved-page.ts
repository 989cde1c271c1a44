import type { RepoRef } from '#lib/repos/types.ts';
import { repoAddress } from './addresses.ts';

/** Type, namespace and name in the address of a repo's page, and what follows them there. */
const REPO_PAGE = /^(?:\/datasets)?\/[^/?]+\/[^/?]+((?:\/[^?]*)?)(?:\?(.*))?$/;

/**
 * The address of the same page after its repo has moved: the path inside the repo and the query stay as they were
 * asked for (`asked`: path and query of the request), except Next's own `_rsc`. Always a path of this hub; one that
 * is no page of a repo leads to the repo's first page.
 */
export function movedPage(asked: string, repo: RepoRef): string {
  const [, rest = '', query = ''] = REPO_PAGE.exec(asked) ?? [];
  const kept = query.split('&').filter((pair) => pair !== '' && !/^_rsc(?:=|$)/.test(pair));
  return `${repoAddress(repo)}${rest}${kept.length > 0 ? `?${kept.join('&')}` : ''}`;
}
