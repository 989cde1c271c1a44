import type { Db } from '#lib/base/db.ts';
import type { Oid } from '#lib/base/ids.ts';
import { selectSummaries } from './commits-db.ts';
import { findLastChanges } from './find-last-changes.ts';
import { folderEntries } from './folder-entries.ts';
import { readRoot } from './resolve-revision.ts';
import type { CommitSummary, Repo } from './types.ts';

/**
 * For each of `names` in `folder` the commit that gave it its present content (for a folder: that touched anything
 * in it), as `git log -1 -- path` names it; see findLastChanges. Names that are not there are absent.
 */
export async function lastCommits(
  db: Db,
  repo: Repo,
  commitOid: Oid,
  folder: string,
  names: readonly string[],
): Promise<Map<string, CommitSummary>> {
  const treeOid = await readRoot(db, repo.id, commitOid);
  const there = (await folderEntries(db, repo.id, [{ oid: commitOid, treeOid }], folder)).get(commitOid);
  const wanted = new Set(names.filter((name) => there?.has(name)));
  const found = await findLastChanges(db, repo.id, commitOid, folder, wanted);
  const summaries = await selectSummaries(db, repo.id, [...new Set(found.values())]);
  return new Map(
    [...found].flatMap(([name, oid]) => {
      const summary = summaries.get(oid);
      return summary === undefined ? [] : [[name, summary] as const];
    }),
  );
}
