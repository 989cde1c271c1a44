import type { Oid } from '#lib/base/ids.ts';
import type { TreeChange, TreeFile } from '../diff-trees.ts';
import { MODE } from '../git/tree.ts';

/** A file that both sides changed, each in its own way: its lines may still go together. */
export interface TextMerge {
  readonly path: string;
  readonly mode: number;
  readonly base: Oid;
  readonly ours: Oid;
  readonly theirs: Oid;
}

/** What must be done to our tree to take their changes in. */
export interface TreeMerge {
  /** Paths to remove, before anything is put. */
  readonly deletes: readonly string[];
  /** Files to put as they have them. */
  readonly puts: readonly ({ readonly path: string } & TreeFile)[];
  /** Files whose contents must be merged; who cannot has a conflict. */
  readonly texts: readonly TextMerge[];
  /** Paths that cannot be merged, sorted. */
  readonly conflicts: readonly string[];
}

const isRegular = (file: TreeFile | null): file is TreeFile =>
  file !== null && (file.mode === MODE.file || file.mode === MODE.executable);

const same = (a: TreeFile | null, b: TreeFile | null) => a?.oid === b?.oid && a?.mode === b?.mode;

/** Of three values the one that a side changed; undefined when both did, differently. */
function mergeValue<T>(base: T, ours: T, theirs: T): T | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

type Verdict =
  | { readonly kind: 'nothing' | 'conflict' }
  | { readonly kind: 'put'; readonly file: TreeFile }
  | { readonly kind: 'text'; readonly mode: number };

/** What becomes of a path that both sides changed. */
function judge(ours: TreeChange, theirs: TreeChange): Verdict {
  if (same(ours.after, theirs.after)) return { kind: 'nothing' };
  if (!isRegular(ours.before) || !isRegular(ours.after) || !isRegular(theirs.after))
    return { kind: 'conflict' };
  const mode = mergeValue(ours.before.mode, ours.after.mode, theirs.after.mode);
  if (mode === undefined) return { kind: 'conflict' };
  const oid = mergeValue(ours.before.oid, ours.after.oid, theirs.after.oid);
  return oid === undefined ? { kind: 'text', mode } : { kind: 'put', file: { oid, mode } };
}

function* foldersAbove(path: string): Generator<string> {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) yield path.slice(0, at);
}

/** Paths at which one side has a file now and the other side a folder: neither can give way. */
function fileAgainstFolder(left: readonly TreeChange[], right: readonly TreeChange[]): string[] {
  const files = new Set(left.flatMap((change) => (change.after === null ? [] : [change.path])));
  const found = new Set<string>();
  for (const { path, after } of right) {
    if (after === null) continue;
    for (const folder of foldersAbove(path)) if (files.has(folder)) found.add(folder);
  }
  return [...found];
}

/**
 * Three-way merge of trees at the level of files, as git merges without looking for renames: `ours` and `theirs` are
 * the changes of each side since the commit that both come from. A file that one side left alone becomes what the
 * other made of it; content and mode are merged each on its own; a file changed here and deleted there, added
 * differently by both, or standing where the other has a folder is a conflict. Pure.
 */
export function mergeTrees(ours: readonly TreeChange[], theirs: readonly TreeChange[]): TreeMerge {
  const byPath = new Map(ours.map((change) => [change.path, change]));
  const deletes: string[] = [];
  const puts: ({ path: string } & TreeFile)[] = [];
  const texts: TextMerge[] = [];
  const conflicts = new Set([...fileAgainstFolder(ours, theirs), ...fileAgainstFolder(theirs, ours)]);
  for (const change of theirs) {
    const { path, after } = change;
    const own = byPath.get(path);
    if (own === undefined) {
      if (after === null) deletes.push(path);
      else puts.push({ path, ...after });
      continue;
    }
    const verdict = judge(own, change);
    if (verdict.kind === 'conflict') conflicts.add(path);
    if (verdict.kind === 'put') puts.push({ path, ...verdict.file });
    if (verdict.kind !== 'text') continue;
    const oids = { base: own.before?.oid, ours: own.after?.oid, theirs: after?.oid } as TextMergeOids;
    texts.push({ path, mode: verdict.mode, ...oids });
  }
  return { deletes, puts, texts, conflicts: [...conflicts].sort() };
}

/** Judge found all three to be regular files. */
type TextMergeOids = Pick<TextMerge, 'base' | 'ours' | 'theirs'>;
