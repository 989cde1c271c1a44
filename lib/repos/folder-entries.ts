import type { Db } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { readTrees } from './git/read-trees.ts';
import { MODE, type TreeLine } from './git/tree.ts';

/** Entries of one folder by name. */
export type FolderEntries = ReadonlyMap<string, TreeLine>;

/** For each commit what is in `folder`; a commit without such a folder is left out. One query per level for all of them. */
export async function folderEntries(
  db: Db,
  repoId: RepoId,
  commits: readonly { readonly oid: Oid; readonly treeOid: Oid }[],
  folder: string,
): Promise<Map<Oid, FolderEntries>> {
  let trees = new Map(commits.map((commit) => [commit.oid, commit.treeOid]));
  const read = () => readTrees(db, repoId, [...new Set(trees.values())]);
  for (const name of folder === '' ? [] : folder.split('/')) {
    const found = await read();
    const below = new Map<Oid, Oid>();
    for (const [commit, tree] of trees) {
      const line = found.get(tree)?.byName.get(name);
      if (line?.mode === MODE.directory) below.set(commit, line.oid);
    }
    trees = below;
  }
  const found = await read();
  return new Map(
    [...trees].flatMap(([commit, tree]) => {
      const entries = found.get(tree)?.byName;
      return entries === undefined ? [] : [[commit, entries] as const];
    }),
  );
}
