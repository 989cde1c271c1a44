import { expect, test } from 'vitest';
import type { DiffLine } from '#lib/repos/diff/types.ts';
import { pairLines } from './pair-lines.ts';

const line = (kind: DiffLine['kind'], text: string): DiffLine => ({ kind, text, oldNumber: 1, newNumber: 1 });

test('what was removed stands beside what was added, what is left over alone, and context on both sides', () => {
  const rows = pairLines([
    line('context', 'a'),
    line('removed', 'b'),
    line('removed', 'c'),
    line('added', 'B'),
    line('context', 'd'),
    line('added', 'e'),
  ]);
  expect(rows.map(({ old, now }) => [old?.text, now?.text])).toEqual([
    ['a', 'a'],
    ['b', 'B'],
    ['c', undefined],
    ['d', 'd'],
    [undefined, 'e'],
  ]);
});
