import fc from 'fast-check';
import { expect, it } from 'vitest';
import { diffText } from './diff-text.ts';
import type { TextDiff } from './types.ts';

const OPTIONS = { context: 3, timeoutMs: 1000, withRanges: true };

/** The text that the hunks make of `before`. */
function apply(before: string, diff: TextDiff): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const out: string[] = [];
  let at = 0;
  for (const hunk of diff.hunks) {
    const start = hunk.oldLines === 0 ? hunk.oldStart : hunk.oldStart - 1;
    while (at < start) out.push(lines[at++] as string);
    for (const line of hunk.lines) {
      const raw = line.text + (line.isUnended ? '' : '\n');
      if (line.kind !== 'added') expect(lines[at++]).toBe(raw);
      if (line.kind !== 'removed') {
        out.push(raw);
        expect(out.length).toBe(line.newNumber);
      }
    }
  }
  return [...out, ...lines.slice(at)].join('');
}

const text = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '', 'same'), { maxLength: 40 }), fc.boolean())
  .map(([lines, ended]) => lines.join('\n') + (ended && lines.length > 0 ? '\n' : ''));

it('gives hunks that make the new text of the old one, whatever the two are', () => {
  fc.assert(
    fc.property(text, text, fc.integer({ min: 0, max: 5 }), (before, after, context) => {
      const diff = diffText(before, after, { ...OPTIONS, context });
      expect(apply(before, diff)).toBe(after);
      expect(diff.hunks.length === 0).toBe(before === after);
    }),
    { numRuns: 500 },
  );
});

it('keeps as many unchanged lines around a change as asked for, and joins hunks that would touch', () => {
  const before = Array.from({ length: 40 }, (_, i) => `line ${i}\n`).join('');
  const after = before.replace('line 10\n', 'line ten\n').replace('line 17\n', '').replace('line 35\n', '');
  const diff = diffText(before, after, OPTIONS);
  expect(
    diff.hunks.map(({ oldStart, oldLines, newStart, newLines }) => [oldStart, oldLines, newStart, newLines]),
  ).toEqual([
    [8, 14, 8, 13],
    [33, 7, 32, 6],
  ]);
  expect(diff).toMatchObject({ additions: 1, deletions: 3, isAligned: true });
});

it('marks what changed inside of a line, and nothing in lines that are simply other lines', () => {
  const { hunks } = diffText('learning_rate: 0.1\nalpha beta\n', 'learning_rate: 0.25\nxyz\n', OPTIONS);
  expect(hunks[0]?.lines.map(({ kind, text: shown, ranges }) => [kind, shown, ranges])).toEqual([
    ['removed', 'learning_rate: 0.1', [[17, 18]]],
    ['removed', 'alpha beta', undefined],
    ['added', 'learning_rate: 0.25', [[17, 19]]],
    ['added', 'xyz', undefined],
  ]);
});

it('says that a last line has no line end', () => {
  const [hunk] = diffText('a\nb', 'a\nb\n', OPTIONS).hunks;
  expect(hunk?.lines.filter((line) => line.isUnended).map((line) => line.kind)).toEqual(['removed']);
});

it('answers in time for texts made to be slow, and the answer is still true', () => {
  const random = (seed: number) =>
    Array.from({ length: 60_000 }, (_, i) => `${((i * 7919 + seed * 104_729) % 60_013) ^ seed}\n`).join('');
  const [before, after] = [random(1), random(2)];
  const started = performance.now();
  const diff = diffText(before, after, { ...OPTIONS, timeoutMs: 200, withRanges: false });
  expect(performance.now() - started).toBeLessThan(3_000);
  expect(diff.isAligned).toBe(false);
  expect(apply(before, diff)).toBe(after);
});
