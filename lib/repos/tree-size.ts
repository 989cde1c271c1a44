import type { Db } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { readBlobFacts } from './describe-entries.ts';
import { entryNotFound, findEntry } from './find-entry.ts';
import { readTrees } from './git/read-trees.ts';
import { MODE } from './git/tree.ts';
import { readRoot } from './resolve-revision.ts';

/**
 * Bytes of all files at and below `path` of a commit, large ones with their real size, a file that stands twice
 * counted twice. Throws entry_not_found (details.commitOid). Queries: one per level of folders, and one per 5,000
 * distinct files.
 */
export async function treeSize(db: Db, repoId: RepoId, commitOid: Oid, path: string): Promise<number> {
  const line = await findEntry(db, repoId, await readRoot(db, repoId, commitOid), path.replace(/\/$/, ''));
  if (line === null) throw entryNotFound(commitOid);
  const blobs = new Map<Oid, number>(line.mode === MODE.directory ? [] : [[line.oid, 1]]);
  let level = new Map<Oid, number>(line.mode === MODE.directory ? [[line.oid, 1]] : []);
  while (level.size > 0) {
    const trees = await readTrees(db, repoId, [...level.keys()]);
    const below = new Map<Oid, number>();
    for (const [oid, times] of level)
      for (const entry of trees.get(oid)?.lines ?? []) {
        if (entry.mode === MODE.submodule) continue;
        const into = entry.mode === MODE.directory ? below : blobs;
        into.set(entry.oid, (into.get(entry.oid) ?? 0) + times);
      }
    level = below;
  }
  const facts = await readBlobFacts(db, repoId, [...blobs.keys()]);
  let total = 0;
  for (const [oid, times] of blobs) {
    const fact = facts.get(oid);
    total += times * (fact?.lfs?.sizeBytes ?? fact?.sizeBytes ?? 0);
  }
  return total;
}
