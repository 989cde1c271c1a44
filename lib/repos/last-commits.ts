import type { Db } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { type CommitNode, selectChain, selectSummaries } from './commits-db.ts';
import { readTrees } from './git/read-trees.ts';
import { MODE } from './git/tree.ts';
import type { CommitSummary, Repo } from './types.ts';

const CHUNK = 100;
/** Further back nobody looks: an entry that was never touched in so many commits is left without an answer. */
const MAX_COMMITS = 20_000;

/** For each commit the oids of the wanted entries of `folder`: one query per level for the whole chunk. */
async function entriesAt(
  db: Db,
  repoId: RepoId,
  commits: readonly CommitNode[],
  folder: string,
): Promise<(ReadonlyMap<string, { readonly oid: Oid; readonly mode: number }> | undefined)[]> {
  let trees: (Oid | undefined)[] = commits.map((commit) => commit.treeOid);
  const read = () =>
    readTrees(
      db,
      repoId,
      trees.filter((oid) => oid !== undefined),
    );
  for (const name of folder === '' ? [] : folder.split('/')) {
    const found = await read();
    trees = trees.map((oid) => {
      const line = oid === undefined ? undefined : found.get(oid)?.byName.get(name);
      return line?.mode === MODE.directory ? line.oid : undefined;
    });
  }
  const found = await read();
  return trees.map((oid) => (oid === undefined ? undefined : found.get(oid)?.byName));
}

/**
 * For each of `names` in `folder` the commit that gave it its present content (for a folder: that touched anything
 * in it), looking back from `commitOid` along first parents. Names that are not there are absent. Queries: one
 * per level of the folder for every 100 commits looked at, and one in the end.
 */
export async function lastCommits(
  db: Db,
  repo: Repo,
  commitOid: Oid,
  folder: string,
  names: readonly string[],
): Promise<Map<string, CommitSummary>> {
  const open = new Set(names);
  const found = new Map<string, Oid>();
  let start: Oid | undefined = commitOid;
  for (let looked = 0; start !== undefined && open.size > 0 && looked < MAX_COMMITS; looked += CHUNK) {
    // one more than is judged: the last one is compared with, and begins the next chunk
    const chain: CommitNode[] = await selectChain(db, repo.id, start, CHUNK + 1);
    const entries = await entriesAt(db, repo.id, chain, folder);
    const isWhole = chain.length <= CHUNK;
    for (const [at, commit] of chain.entries()) {
      if (!isWhole && at === CHUNK) break;
      for (const name of open) {
        const now = entries[at]?.get(name);
        const before = entries[at + 1]?.get(name);
        if (now === undefined && at === 0 && looked === 0)
          open.delete(name); // not there at all
        else if (now?.oid !== before?.oid || now?.mode !== before?.mode) {
          found.set(name, commit.oid);
          open.delete(name);
        }
      }
    }
    start = isWhole ? undefined : chain[CHUNK]?.oid;
  }
  const summaries = await selectSummaries(db, repo.id, [...new Set(found.values())]);
  return new Map(
    [...found].flatMap(([name, oid]) => {
      const summary = summaries.get(oid);
      return summary === undefined ? [] : [[name, summary] as const];
    }),
  );
}
