import type { Translator } from '../translator.ts';

/** What a run says of itself, for command lines too, and how pages say it. */
const PHASES = {
  'looking through repositories': 'repositories',
  'looking through stored files': 'files',
  'comparing with the store': 'store',
  'sweeping repositories': 'sweep',
  'removing what hangs on deleted repositories': 'remove',
  'dooming what nobody holds': 'doom',
  'repacking half-dead xorbs': 'repack',
  'looking for orphans in the store': 'orphans',
  'deleting bytes': 'delete',
} as const;

/** The phase of a run in the reader's language, with how far it is; as the run says it when it is none of these. */
export function phaseText(t: Translator, phase: string): string {
  const [, name = '', done] = /^(.*?)(?:: (\d+) of \d+)?$/.exec(phase) ?? [];
  const key = Object.hasOwn(PHASES, name) ? PHASES[name as keyof typeof PHASES] : null;
  if (key === null) return phase;
  const share = done === undefined ? '' : ` ${phase.slice(name.length + 2).replace(' of ', ' / ')}`;
  return `${t(`reclaim.phase.${key}`)}${share}`;
}
