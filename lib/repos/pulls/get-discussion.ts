import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '../access.ts';
import type { Repo, RepoRef } from '../types.ts';
import { readDiscussion } from './discussions-db.ts';
import { selectEvents } from './events-db.ts';
import { type MergeState, readMergeState } from './read-merge-state.ts';
import type { Discussion, DiscussionEvent } from './types.ts';

export interface DiscussionDetails {
  readonly repo: Repo;
  readonly discussion: Discussion;
  readonly events: readonly DiscussionEvent[];
  /** Null for a discussion. */
  readonly merge: MergeState | null;
}

/** One discussion with all that happened in it and, for a pull request, how it stands. Throws repo_not_found, not_found. */
export async function getDiscussion(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  ref: RepoRef,
  num: number,
): Promise<DiscussionDetails> {
  const repo = await requireRead(ctx, ref);
  const discussion = await readDiscussion(ctx.db, repo.id, num);
  const events = await selectEvents(ctx.db, { repoId: repo.id, num });
  const { pull } = discussion;
  const merge = pull === null ? null : await readMergeState(ctx.db, repo, { ...discussion, pull });
  return { repo, discussion, events, merge };
}
