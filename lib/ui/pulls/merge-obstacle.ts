import type { MergeState } from '#lib/repos/pulls/read-merge-state.ts';
import type { DiscussionStatus } from '#lib/repos/pulls/types.ts';
import type { MergeObstacle } from './merge-box.tsx';

/** What keeps a pull request from being merged, the most basic first; null: nothing does. */
export function mergeObstacle(status: DiscussionStatus, merge: MergeState): MergeObstacle {
  if (status === 'closed') return 'closed';
  if (!merge.hasRef) return 'noRef';
  if (merge.branchOid === null) return 'noBranch';
  if (merge.commits.length === 0) return status === 'draft' ? 'draft' : 'empty';
  if (merge.conflicts === null) return 'unknown';
  if (merge.conflicts.length > 0) return 'conflicts';
  return status === 'draft' ? 'draft' : null;
}
