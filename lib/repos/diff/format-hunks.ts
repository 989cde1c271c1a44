import type { Hunk } from './types.ts';

const MARK = { context: ' ', added: '+', removed: '-' } as const;
const spanOf = (start: number, count: number) => (count === 1 ? String(start) : `${start},${count}`);

/** Hunks in the unified format (gitformat: "diff-generate-patch"), each line with its mark. */
export function formatHunks(hunks: readonly Hunk[]): string {
  const out: string[] = [];
  for (const { oldStart, oldLines, newStart, newLines, lines } of hunks) {
    out.push(`@@ -${spanOf(oldStart, oldLines)} +${spanOf(newStart, newLines)} @@\n`);
    for (const { kind, text, isUnended } of lines)
      out.push(MARK[kind], text, isUnended ? '\n\\ No newline at end of file\n' : '\n');
  }
  return out.join('');
}
