import type { Db } from '#lib/base/db.ts';
import { isHubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import { selectRefs } from '../db.ts';
import { BoundedCache } from '../git/oid-cache.ts';
import type { Repo } from '../types.ts';
import { mergeBase } from '../walk-commits.ts';
import { planMerge } from './plan-merge.ts';
import { commitsAhead } from './record-pull-move.ts';
import { type Discussion, type PullFacts, pullRef } from './types.ts';

/** How a pull request stands to its branch now. */
export interface MergeState {
  /** Head of the branch; null when it was deleted. */
  readonly branchOid: Oid | null;
  /** The pull request's head: where its ref is, or was. */
  readonly headOid: Oid;
  /** Whether its ref is still there. */
  readonly hasRef: boolean;
  /** The commit its changes are counted from; null when it shares no history with the branch. */
  readonly baseOid: Oid | null;
  /** Files in the way of a merge; null when that was not found out (too many changes). Empty once merged. */
  readonly conflicts: readonly string[] | null;
  /** Commits that the branch has got since the pull request came off it, up to 1,000. */
  readonly behind: number;
  /** Commits that it proposes, newest first, up to 1,000. */
  readonly commits: readonly Oid[];
}

const MAX_COUNTED = 1000;

interface Comparison {
  readonly baseOid: Oid | null;
  readonly conflicts: readonly string[] | null;
  readonly behind: number;
  readonly commits: readonly Oid[];
}

/** Of a pool: comparisons of two commits, which never change. 4 MiB. */
const caches = new WeakMap<Db, BoundedCache<Comparison>>();

function cacheOf(db: Db): BoundedCache<Comparison> {
  const cache = caches.get(db) ?? new BoundedCache<Comparison>(4 * 1024 * 1024);
  caches.set(db, cache);
  return cache;
}

/** Compares a pull request's head with a commit of its branch. Remembered: both are fixed. */
async function compare(db: Db, repo: Repo, branch: Oid, head: Oid): Promise<Comparison> {
  const cache = cacheOf(db);
  const key = `${branch}${head}`;
  const hit = cache.get(repo.id, key);
  if (hit !== undefined) return hit;
  const baseOid = await mergeBase(db, repo.id, branch, head);
  const plan = await planMerge({ db }, db, repo.id, { base: baseOid, ours: branch, theirs: head }).catch(
    (error: unknown) => {
      if (isHubError(error)) return null;
      throw error;
    },
  );
  const found: Comparison = {
    baseOid,
    conflicts: plan === null ? null : plan.kind === 'conflicts' ? plan.paths : [],
    behind: (await commitsAhead(db, repo.id, head, branch, MAX_COUNTED)).length,
    commits: await commitsAhead(db, repo.id, branch, head, MAX_COUNTED),
  };
  const bytes = 500 + 100 * found.commits.length + (found.conflicts?.join('').length ?? 0) * 2;
  cache.set(repo.id, key, found, bytes);
  return found;
}

/**
 * How a pull request stands to its branch: what it proposes, what is in the way, how far behind it is. For a merged
 * one: what it proposed when it was merged. Reads trees that differ only; no locks, so a merge looks again.
 */
export async function readMergeState(
  db: Db,
  repo: Repo,
  discussion: Discussion & { readonly pull: PullFacts },
): Promise<MergeState> {
  const { num, status, pull } = discussion;
  const refs = new Map(
    (await selectRefs(db, repo.id, [pull.baseRef, pullRef(num)])).map((row) => [row.name, row.oid]),
  );
  const head = refs.get(pullRef(num)) ?? pull.headOid;
  const branchOid = refs.get(pull.baseRef) ?? null;
  const hasRef = refs.has(pullRef(num));
  const against = status === 'merged' ? pull.baseOid : branchOid;
  if (against === null)
    return { branchOid, headOid: head, hasRef, baseOid: null, conflicts: [], behind: 0, commits: [] };
  const found = await compare(db, repo, against, head);
  return { branchOid, headOid: head, hasRef, ...found };
}
