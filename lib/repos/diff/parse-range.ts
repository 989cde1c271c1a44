import { hubError } from '#lib/base/errors.ts';
import type { Range } from './types.ts';

const MAX_NAME_CHARS = 1_100;

/**
 * Reads `base..head` or `base...head` (gitrevisions(7)). An end left out is the default branch. No ref name holds two
 * dots in a row or begins with one, so there is one reading. Throws invalid_input for anything else.
 */
export function parseRange(text: string): Range {
  const match = /^(.*?)(\.\.\.?)(.*)$/s.exec(text);
  const [, base, dots, head] = match ?? [];
  if (base === undefined || head === undefined || head.includes('..') || text.length > 2 * MAX_NAME_CHARS)
    throw hubError(
      'invalid_input',
      'the comparison must be written base..head, or base...head for the changes since head left base',
    );
  return { base, head, mode: dots === '...' ? 'three-dot' : 'two-dot' };
}

/** A revision with the steps back that stand behind it: `main^`, `v1~3`. */
export function parseSteps(text: string): { name: string; steps: number } {
  const match = /^(.*?)((?:\^|~\d{0,5})*)$/s.exec(text);
  const [name, suffix] = [match?.[1] ?? text, match?.[2] ?? ''];
  const steps = [...suffix.matchAll(/\^|~(\d*)/g)].map(([mark, count]) =>
    mark === '^' || count === '' ? 1 : Number(count),
  );
  return { name, steps: steps.reduce((sum, count) => sum + count, 0) };
}
