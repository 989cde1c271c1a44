import type { Db } from '#lib/base/db.ts';
import type { Oid } from '#lib/base/ids.ts';
import { countAncestors, selectSummaries } from './commits-db.ts';
import { oidCache } from './git/oid-cache.ts';
import type { CommitSummary, Repo } from './types.ts';
import { walkCommits } from './walk-commits.ts';

/**
 * One page (0-based) of the history of a commit, newest first, and how many commits there are in all. Queries: one
 * per 500 commits skipped, one for the page, one for the total when this process has not counted it yet.
 */
export async function listCommits(
  db: Db,
  repo: Repo,
  commitOid: Oid,
  options: { readonly page: number; readonly limit: number },
): Promise<{ commits: CommitSummary[]; total: number }> {
  const counts = oidCache(db).counts;
  let total = counts.get(repo.id, commitOid);
  if (total === undefined) {
    total = await countAncestors(db, repo.id, commitOid);
    counts.set(repo.id, commitOid, total, 200);
  }
  const first = options.page * options.limit;
  if (first >= total) return { commits: [], total };
  const oids: Oid[] = [];
  let at = 0;
  for await (const { oid } of walkCommits(db, repo.id, commitOid)) {
    if (at++ >= first) oids.push(oid);
    if (oids.length === options.limit) break;
  }
  const summaries = await selectSummaries(db, repo.id, oids);
  return { commits: oids.flatMap((oid) => summaries.get(oid) ?? []), total };
}
