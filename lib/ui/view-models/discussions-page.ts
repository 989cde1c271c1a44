import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything } from '#lib/identity/policy.ts';
import { areDiscussionsDisabled } from '#lib/repos/pulls/discussions-db.ts';
import {
  type DiscussionPage,
  type DiscussionQuery,
  listDiscussions,
} from '#lib/repos/pulls/list-discussions.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

const PAGE_SIZE = 30;

/** What the reader chose to see; each is a parameter of the address. */
export type DiscussionFilter = Pick<
  DiscussionQuery,
  'type' | 'status' | 'author' | 'search' | 'sort' | 'page'
>;

export interface DiscussionsPage {
  readonly overview: RepoOverview;
  readonly list: DiscussionPage;
  readonly hasNext: boolean;
  /** Signed in, and the repo takes discussions. */
  readonly mayOpen: boolean;
  readonly isDisabled: boolean;
}

/** One page of a repo's discussions and pull requests, pinned ones first. Throws repo_not_found. */
export async function discussionsPage(
  ctx: Ctx,
  ref: RepoRef,
  filter: DiscussionFilter,
): Promise<DiscussionsPage> {
  const overview = await repoOverview(ctx, ref);
  const [list, isDisabled] = await Promise.all([
    listDiscussions(ctx, overview.repo, { ...filter, pinnedFirst: true, pageSize: PAGE_SIZE }),
    areDiscussionsDisabled(ctx.db, overview.repo.id),
  ]);
  const hasNext = list.start + list.discussions.length < list.count;
  return { overview, list, hasNext, mayOpen: canChangeAnything(ctx.principal) && !isDisabled, isDisabled };
}
