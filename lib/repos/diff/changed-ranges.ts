import { diffArrays } from 'diff';
import type { TextRange } from './types.ts';

const MAX_LINE_CHARS = 2_000;
const MAX_EDITS = 200;
const TIMEOUT_MS = 20;
/** Below this share of kept characters two lines are different lines, and marks inside would be noise. */
const MIN_KEPT = 0.4;

/** Words, runs of spaces, and every other character for itself. */
const TOKENS = /[\p{L}\p{N}_]+|\s+|[\s\S]/gu;

interface Marks {
  readonly old: TextRange[];
  readonly now: TextRange[];
}

function addRange(ranges: TextRange[], from: number, to: number): void {
  const last = ranges.at(-1);
  if (last && last[1] === from) ranges[ranges.length - 1] = [last[0], to];
  else ranges.push([from, to]);
}

/** What changed from one line to another, by words; null when they are too different or too long to say. */
export function changedRanges(old: string, now: string): Marks | null {
  if (old.length > MAX_LINE_CHARS || now.length > MAX_LINE_CHARS) return null;
  const changes = diffArrays(old.match(TOKENS) ?? [], now.match(TOKENS) ?? [], {
    timeout: TIMEOUT_MS,
    maxEditLength: MAX_EDITS,
  });
  if (changes === undefined) return null;
  const marks: Marks = { old: [], now: [] };
  let [atOld, atNew, kept] = [0, 0, 0];
  for (const { value, added, removed } of changes) {
    const length = value.reduce((sum, token) => sum + token.length, 0);
    if (added) addRange(marks.now, atNew, atNew + length);
    else if (removed) addRange(marks.old, atOld, atOld + length);
    else kept += value.reduce((sum, token) => sum + token.trim().length, 0);
    if (!added) atOld += length;
    if (!removed) atNew += length;
  }
  return kept >= MIN_KEPT * Math.max(old.trim().length, now.trim().length) ? marks : null;
}
