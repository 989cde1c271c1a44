/** What a run is about to doom, beside what there is. */
export interface BrakeFigures {
  readonly storedBytes: number;
  readonly storedObjects: number;
  readonly gitObjects: number;
  readonly newBytes: number;
  readonly newObjects: number;
  readonly newGitObjects: number;
  /** Of the new bytes, those in the store that no row names. */
  readonly orphanBytes: number;
}

/** Orphans are few, unless it is the rows that were lost: then they are what `check --rebuild-xet` needs. */
const ORPHAN_FLOOR_BYTES = 64 * 1024 * 1024;

/** Below this nothing stops: small hubs delete half of what they have on an ordinary day. */
export interface BrakeFloor {
  readonly bytes: number;
  readonly objects: number;
}

export const BRAKE_FLOOR: BrakeFloor = { bytes: 2 ** 30, objects: 10_000 };

const shareOf = (part: number, whole: number) => Math.round((100 * part) / Math.max(1, whole));

/**
 * Why the run must stop, or null: more than `percent` of the stored bytes, of the stored objects or of the git objects
 * of live repos would become garbage at once. A fault in what decides on garbage looks like this, and so does the
 * deletion of a large repo: an administrator tells them apart. Pure.
 */
export function brakeReason(figures: BrakeFigures, percent: number, floor: BrakeFloor): string | null {
  const checks = [
    { part: figures.newBytes, whole: figures.storedBytes, least: floor.bytes, what: 'stored bytes' },
    {
      part: figures.orphanBytes,
      whole: figures.storedBytes,
      least: Math.min(floor.bytes, ORPHAN_FLOOR_BYTES),
      what: 'bytes (orphans, which no row names)',
    },
    { part: figures.newObjects, whole: figures.storedObjects, least: floor.objects, what: 'stored objects' },
    { part: figures.newGitObjects, whole: figures.gitObjects, least: floor.objects, what: 'git objects' },
  ];
  const hit = checks.find(
    ({ part, whole, least }) => part > least && part * 100 > Math.max(whole, 1) * percent,
  );
  if (hit === undefined) return null;
  return `${hit.part} of ${hit.whole} ${hit.what} (${shareOf(hit.part, hit.whole)} %) would become garbage at once, more than the ${percent} % of LARDER_GC_BRAKE_PERCENT: nothing was deleted. Look at the dry run; if it is right, force the run.`;
}
