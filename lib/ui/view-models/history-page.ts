import type { Ctx } from '#lib/identity/context.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import type { CommitSummary, RepoRef } from '#lib/repos/types.ts';
import { type PlaceInRepo, placeInRepo } from './place-in-repo.ts';

const HISTORY_PAGE_SIZE = 50;

export interface HistoryPage {
  readonly place: PlaceInRepo;
  readonly commits: readonly CommitSummary[];
  readonly total: number;
  /** 0-based. */
  readonly page: number;
  readonly hasNext: boolean;
}

/** One page of the commits of a revision, newest first. */
export async function historyPage(
  ctx: Ctx,
  ref: RepoRef,
  rawTail: string,
  page: number,
): Promise<HistoryPage> {
  const place = await placeInRepo(ctx, ref, rawTail);
  const { commits, total } = await listCommits(ctx.db, place.overview.repo, place.commitOid, {
    page,
    limit: HISTORY_PAGE_SIZE,
  });
  return { place, commits, total, page, hasNext: (page + 1) * HISTORY_PAGE_SIZE < total };
}
