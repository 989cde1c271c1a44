import type { DiffLine } from '#lib/repos/diff/types.ts';

/** One row of a side-by-side view; null where a side has no line. */
export interface LinePair {
  readonly old: DiffLine | null;
  readonly now: DiffLine | null;
}

/** Lines of a hunk as rows of two sides: what was removed stands beside what was added in its place. */
export function pairLines(lines: readonly DiffLine[]): LinePair[] {
  const rows: LinePair[] = [];
  let removed: DiffLine[] = [];
  let added: DiffLine[] = [];
  const flush = () => {
    for (let i = 0; i < Math.max(removed.length, added.length); i++)
      rows.push({ old: removed[i] ?? null, now: added[i] ?? null });
    [removed, added] = [[], []];
  };
  for (const line of lines) {
    if (line.kind === 'removed') removed.push(line);
    else if (line.kind === 'added') added.push(line);
    else {
      flush();
      rows.push({ old: line, now: line });
    }
  }
  flush();
  return rows;
}
