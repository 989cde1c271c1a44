import type { Reclaimable } from '#lib/repos/reclaim/read-reclaimable.ts';

type Run = Reclaimable['runs'][number];

/** A run as the hub's API gives it: moments as text. */
export type RunLine = Omit<Run, 'startedAt' | 'endedAt'> & {
  readonly startedAt: string;
  readonly endedAt: string | null;
};

/** What the storage page shows, as the hub's API gives it. */
export type StorageLine = Omit<Reclaimable, 'runs'> & { readonly runs: readonly RunLine[] };

/** The latest run that says what can be reclaimed. */
export const latestFinding = (storage: StorageLine): RunLine | undefined =>
  storage.runs.find(({ result }) => result !== null);

/** Bytes by reason that are still there: what a run that went through took is not. */
export function reclaimableOf({ result, isDry, state }: RunLine) {
  const isTaken = !isDry && state === 'done';
  return (result?.found ?? [])
    .map(({ reason, bytes, bytesNow }) => ({
      reason,
      now: isTaken ? 0 : bytesNow,
      later: bytes - bytesNow,
    }))
    .filter(({ now, later }) => now + later > 0);
}
