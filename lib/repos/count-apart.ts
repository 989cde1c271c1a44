import type { Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { walkApart } from './walk-commits.ts';

export interface Apart {
  /** Commits that only `oid` has, and that only `base` has. */
  readonly ahead: number;
  readonly behind: number;
  /** There are more than were counted. */
  readonly isCut: boolean;
}

/** How far a commit is from another, counting at most `max` commits together. Queries: one per 500 commits of each side. */
export async function countApart(
  db: Queryable,
  repoId: RepoId,
  base: Oid,
  oid: Oid,
  max: number,
): Promise<Apart> {
  let [ahead, behind] = [0, 0];
  if (base !== oid)
    for await (const { side } of walkApart(db, repoId, base, oid)) {
      if (side === 'both') continue;
      if (ahead + behind === max) return { ahead, behind, isCut: true };
      if (side === 'left') behind++;
      else ahead++;
    }
  return { ahead, behind, isCut: false };
}
