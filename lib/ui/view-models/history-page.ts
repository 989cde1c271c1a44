import type { Ctx } from '#lib/identity/context.ts';
import { fileHistory, type PathCommit } from '#lib/repos/file-history.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { type PlaceInRepo, placeInRepo } from './place-in-repo.ts';

const HISTORY_PAGE_SIZE = 50;

export interface HistoryPage {
  readonly place: PlaceInRepo;
  readonly commits: readonly PathCommit[];
  /** Commits in all; null for the history of a path, which is not counted. */
  readonly total: number | null;
  /** 0-based. */
  readonly page: number;
  readonly hasNext: boolean;
  /** The branch that the revision names, when the reader may commit to it. */
  readonly branch: string | null;
}

/** One page of the commits of a revision, or of those that changed a path of it, newest first. */
export async function historyPage(
  ctx: Ctx,
  ref: RepoRef,
  rawTail: string,
  page: number,
): Promise<HistoryPage> {
  const place = await placeInRepo(ctx, ref, rawTail);
  const { repo, mayWrite } = place.overview;
  const branch = mayWrite && place.branches.includes(place.revision) ? place.revision : null;
  const options = { page, limit: HISTORY_PAGE_SIZE };
  if (place.path !== '') {
    const found = await fileHistory(ctx.db, repo, place.commitOid, place.path, options);
    return { place, ...found, total: null, page, branch };
  }
  const { commits, total } = await listCommits(ctx.db, repo, place.commitOid, options);
  return {
    place,
    commits: commits.map((commit) => ({ ...commit, renamedFrom: null })),
    total,
    page,
    hasNext: (page + 1) * HISTORY_PAGE_SIZE < total,
    branch,
  };
}
