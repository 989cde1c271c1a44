import type { ReclaimOutcome } from './reclaim.ts';
import type { Reason, ReasonTotals, ReclaimItem } from './types.ts';

const WORDS: Record<Reason, string> = {
  'unreachable-history': 'history that nothing reaches (in the database)',
  'deleted-repository': 'of deleted repositories',
  'unused-file': 'files that no commit names',
  'unused-chunks': 'chunks that no file uses',
  orphan: 'orphans of the store',
};

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes for people, in powers of ten. */
function readable(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** One line of a dry run. */
export function describeItem({ reason, repo, what, bytes, mayGoAt }: ReclaimItem): string {
  return [mayGoAt.toISOString(), reason, String(bytes), what, repo ?? '-'].join('\t');
}

function describeReason({ reason, count, bytes, countNow, bytesNow }: ReasonTotals): string {
  return `  ${WORDS[reason]}: ${readable(bytes)} in ${count}; of these now: ${readable(bytesNow)} in ${countNow}`;
}

/** The last lines of a run: what was found, what was freed, what was left and why. */
export function describeOutcome({ state, result, message }: ReclaimOutcome, isDry: boolean): string {
  if (result === null) return message;
  const lines = [
    `${readable(result.storedBytes)} in ${result.storedObjects} stored objects, ${readable(result.databaseBytes)} in the database`,
    result.found.length === 0 ? 'nothing to reclaim' : 'to reclaim:',
    ...result.found.map(describeReason),
    ...result.skipped.map(({ repo, why }) => `left alone: ${repo}: ${why}`),
  ];
  if (message !== '') lines.push(isDry ? `the brake would stop this run: ${message}` : message);
  if (state === 'done' && !isDry)
    lines.push(
      `freed ${readable(result.freedBytes)} in ${result.freedObjects} objects of the store, ${result.freedGitObjects} git objects (${readable(result.freedGitBytes)}) of the database`,
    );
  return lines.join('\n');
}
