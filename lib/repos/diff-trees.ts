import type { Oid } from '#lib/base/ids.ts';
import { EMPTY_TREE_OID, MODE, type TreeLine } from './git/tree.ts';
import type { TreeReader } from './working-tree.ts';

/** What stands at a path: a file, symlink or submodule, never a folder. */
export interface TreeFile {
  readonly oid: Oid;
  readonly mode: number;
}

/** One path that differs. At least one side is there; both when content or mode changed. */
export interface TreeChange {
  readonly path: string;
  readonly before: TreeFile | null;
  readonly after: TreeFile | null;
}

export interface TreeDiff {
  /** By path, in the order of code points. */
  readonly changes: TreeChange[];
  /** False when there were more than `maxChanges`: then only that many are listed. */
  readonly isComplete: boolean;
}

/** Two folders at one path that differ; null where there is none. */
interface Pair {
  readonly path: string;
  readonly before: Oid | null;
  readonly after: Oid | null;
}

const isFolder = (line: TreeLine | undefined) => line?.mode === MODE.directory;
const fileOf = (line: TreeLine | undefined): TreeFile | null =>
  line === undefined || isFolder(line) ? null : { oid: line.oid, mode: line.mode };
const folderOf = (line: TreeLine | undefined): Oid | null => (line && isFolder(line) ? line.oid : null);

/**
 * The files that differ between two root trees (null: nothing there). Equal subtrees are not read; the others in one
 * read per level of folders.
 */
export async function diffTrees(
  readTrees: TreeReader,
  before: Oid | null,
  after: Oid | null,
  { maxChanges = 100_000 }: { maxChanges?: number } = {},
): Promise<TreeDiff> {
  const changes: TreeChange[] = [];
  let level: Pair[] = before === after ? [] : [{ path: '', before, after }];
  while (level.length > 0 && changes.length <= maxChanges) {
    const oids = level.flatMap((pair) => [pair.before, pair.after]).filter((oid) => oid !== null);
    const trees = await readTrees([...new Set(oids)]);
    const below: Pair[] = [];
    for (const pair of level) {
      const linesOf = (oid: Oid | null) =>
        trees.get(oid ?? EMPTY_TREE_OID)?.byName ?? new Map<string, TreeLine>();
      const [old, now] = [linesOf(pair.before), linesOf(pair.after)];
      for (const name of new Set([...old.keys(), ...now.keys()])) {
        const [a, b] = [old.get(name), now.get(name)];
        if (a?.oid === b?.oid && a?.mode === b?.mode) continue;
        const path = pair.path === '' ? name : `${pair.path}/${name}`;
        if (fileOf(a) ?? fileOf(b)) changes.push({ path, before: fileOf(a), after: fileOf(b) });
        if (folderOf(a) ?? folderOf(b)) below.push({ path, before: folderOf(a), after: folderOf(b) });
      }
    }
    level = below;
  }
  changes.sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    changes: changes.slice(0, maxChanges),
    isComplete: changes.length <= maxChanges && level.length === 0,
  };
}
