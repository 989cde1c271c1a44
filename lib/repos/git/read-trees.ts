import type { Db, Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { selectObjects } from './db.ts';
import { decodeObject, KIND } from './objects.ts';
import { type CachedTree, oidCache } from './oid-cache.ts';
import { EMPTY_TREE_OID, parseTree, type TreeLine } from './tree.ts';

const EMPTY: CachedTree = { lines: [], byName: new Map() };
/** Measured footprint of one parsed line: two short strings, an object, a map slot. */
const LINE_BYTES = 250;

/**
 * Trees of a repo by oid: one query for those that are not remembered (through the caller's transaction, if it has
 * one). Throws when one is missing or damaged: a tree that cannot be read is never an empty tree.
 */
export async function readTrees(
  db: Db,
  repoId: RepoId,
  oids: readonly Oid[],
  through: Queryable = db,
): Promise<Map<Oid, CachedTree>> {
  const cache = oidCache(db).trees;
  const found = new Map<Oid, CachedTree>();
  const missing = new Set<Oid>();
  for (const oid of oids) {
    const hit = oid === EMPTY_TREE_OID ? EMPTY : cache.get(repoId, oid);
    if (hit) found.set(oid, hit);
    else missing.add(oid);
  }
  if (missing.size === 0) return found;
  const rows = await selectObjects(through, repoId, [...missing]);
  for (const oid of missing) {
    const row = rows.get(oid);
    if (row === undefined || row.kind !== KIND.tree)
      throw new Error(`tree ${oid} of repo ${repoId} is missing`);
    const lines = parseTree(await decodeObject(row));
    const tree = { lines, byName: new Map(lines.map((line): [string, TreeLine] => [line.name, line])) };
    cache.set(repoId, oid, tree, 500 + lines.length * LINE_BYTES);
    found.set(oid, tree);
  }
  return found;
}

/** One tree; see readTrees. */
export async function readTree(db: Db, repoId: RepoId, oid: Oid): Promise<CachedTree> {
  const tree = (await readTrees(db, repoId, [oid])).get(oid);
  if (tree === undefined) throw new Error(`tree ${oid} of repo ${repoId} is missing`);
  return tree;
}
