import type { TreeChange, TreeFile } from '../diff-trees.ts';

/** A removed and an added path that are one file. */
export interface Rename {
  readonly from: string;
  readonly to: string;
  /** Percent of the content that stayed. */
  readonly similarity: number;
}

/** What identifies content, or null for what is never taken as moved (empty files are all the same). */
export type ContentKey = (file: TreeFile) => string | null;

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const typeOf = (file: TreeFile) => file.mode & 0o170000;

/**
 * Removed and added paths with the same content, each used once; the same file name is preferred, then the order of
 * paths. Linear in the number of changes.
 */
export function findMoves(changes: readonly TreeChange[], keyOf: ContentKey): Rename[] {
  const removed = new Map<string, string[]>();
  for (const { path, before, after } of changes) {
    const key = before !== null && after === null ? keyOf(before) : null;
    if (before === null || key === null) continue;
    const typed = `${typeOf(before)} ${key}`;
    const candidates = removed.get(typed);
    if (candidates === undefined) removed.set(typed, [path]);
    else if (candidates.length < MAX_CANDIDATES) candidates.push(path);
  }
  const renames: Rename[] = [];
  for (const { path, before, after } of changes) {
    const key = before === null && after !== null ? keyOf(after) : null;
    const candidates = key === null || after === null ? undefined : removed.get(`${typeOf(after)} ${key}`);
    if (!candidates?.length) continue;
    const same = candidates.findIndex((candidate) => nameOf(candidate) === nameOf(path));
    const [from] = candidates.splice(Math.max(0, same), 1);
    renames.push({ from: from as string, to: path, similarity: 100 });
  }
  return renames;
}

/** Copies of one content that are told apart; more of them are matched no better by looking longer. */
const MAX_CANDIDATES = 100;
const MIN_SIMILARITY = 50;

/** Bytes of each line of a text, by the line. */
function weigh(text: string): { lines: Map<string, number>; total: number } {
  const lines = new Map<string, number>();
  for (const line of text.split('\n')) lines.set(line, (lines.get(line) ?? 0) + line.length + 1);
  return { lines, total: text.length + 1 };
}

/**
 * Removed and added texts that share at least half of their lines by weight, the most similar pairs first, each text
 * used once. The work is the product of the two numbers: the caller bounds them.
 */
export function findSimilar(
  removed: ReadonlyMap<string, string>,
  added: ReadonlyMap<string, string>,
): Rename[] {
  const old = [...removed].map(([path, text]) => ({ path, ...weigh(text) }));
  const pairs = [...added].flatMap(([to, text]) => {
    const now = weigh(text);
    return old.flatMap(({ path: from, lines, total }) => {
      if (Math.min(total, now.total) * 2 < Math.max(total, now.total)) return [];
      let kept = 0;
      for (const [line, weight] of now.lines) kept += Math.min(weight, lines.get(line) ?? 0);
      const similarity = Math.min(99, Math.floor((kept * 100) / Math.max(total, now.total)));
      return similarity >= MIN_SIMILARITY ? [{ from, to, similarity }] : [];
    });
  });
  const used = new Set<string>();
  const best: Rename[] = [];
  for (const pair of pairs.sort((a, b) => b.similarity - a.similarity)) {
    if (used.has(`a ${pair.from}`) || used.has(`b ${pair.to}`)) continue;
    used.add(`a ${pair.from}`).add(`b ${pair.to}`);
    best.push(pair);
  }
  return best;
}
