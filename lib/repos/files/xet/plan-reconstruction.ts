import type { ByteRange } from '#lib/storage/object-store.ts';
import type { Term } from './terms.ts';

/** Where the chunks of one xorb end, without their hashes. */
export interface XorbLayout {
  readonly chunkCount: number;
  /** End of each chunk record in the stored xorb. */
  readonly storedEnds: Uint32Array;
  /** End of each chunk in the raw bytes. */
  readonly rawEnds: Uint32Array;
}

/** A term, and the offset in the file at which it begins. */
export interface PlacedTerm {
  readonly term: Term;
  readonly fileOffset: number;
}

/** A term cut to whole chunks that a range touches. */
export interface PlannedTerm {
  readonly xorbId: number;
  readonly start: number;
  readonly end: number;
  readonly rawBytes: number;
}

/** One range of a stored xorb that holds the records of chunks start..end. */
export interface PlannedFetch {
  readonly start: number;
  readonly end: number;
  readonly bytes: ByteRange;
}

export interface ReconstructionPlan {
  /** Bytes to drop from the first planned chunk to arrive at the start of the range. */
  readonly offsetIntoFirstRange: number;
  readonly terms: readonly PlannedTerm[];
  /** Per xorb, ascending, neither overlapping nor adjacent; every planned term lies inside one of them. */
  readonly fetches: ReadonlyMap<number, readonly PlannedFetch[]>;
}

/** The terms that a range of the file touches, in order, with their places. An empty file has none. */
export function selectTerms(terms: readonly Term[], range: ByteRange): PlacedTerm[] {
  const selected: PlacedTerm[] = [];
  let fileOffset = 0;
  for (const term of terms) {
    if (fileOffset > range.end) break;
    if (fileOffset + term.rawBytes > range.start) selected.push({ term, fileOffset });
    fileOffset += term.rawBytes;
  }
  return selected;
}

const endOf = (ends: Uint32Array, index: number) => (index < 0 ? 0 : (ends[index] as number));

function layoutOf(layouts: ReadonlyMap<number, XorbLayout>, xorbId: number): XorbLayout {
  const layout = layouts.get(xorbId);
  if (layout === undefined) throw new Error(`no layout of xorb ${xorbId}`);
  return layout;
}

/** Drops chunks of the term that lie wholly before or after the range. */
function trim(
  placed: PlacedTerm,
  range: ByteRange,
  layout: XorbLayout,
): { planned: PlannedTerm; skipped: number } {
  const { term, fileOffset } = placed;
  const { rawEnds } = layout;
  const base = endOf(rawEnds, term.start - 1);
  let { start, end } = term;
  while (fileOffset + endOf(rawEnds, start) - base <= range.start) start++;
  while (fileOffset + endOf(rawEnds, end - 2) - base > range.end && end - 1 > start) end--;
  const skipped = endOf(rawEnds, start - 1) - base;
  const rawBytes = endOf(rawEnds, end - 1) - endOf(rawEnds, start - 1);
  return { planned: { xorbId: term.xorbId, start, end, rawBytes }, skipped };
}

/** Merges overlapping and adjacent chunk ranges of one xorb. */
function merge(terms: readonly PlannedTerm[], layout: XorbLayout): PlannedFetch[] {
  const sorted = [...terms].sort((a, b) => a.start - b.start || a.end - b.end);
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged.map(({ start, end }) => ({
    start,
    end,
    bytes: { start: endOf(layout.storedEnds, start - 1), end: endOf(layout.storedEnds, end - 1) - 1 },
  }));
}

/**
 * Plans which chunks of which xorbs make up a range of a file (both ends inclusive and inside the file).
 * `placed` comes from selectTerms for the same range; `layouts` holds every xorb it names.
 */
export function planReconstruction(
  placed: readonly PlacedTerm[],
  range: ByteRange,
  layouts: ReadonlyMap<number, XorbLayout>,
): ReconstructionPlan {
  const terms: PlannedTerm[] = [];
  const byXorb = new Map<number, PlannedTerm[]>();
  let offsetIntoFirstRange = 0;
  for (const item of placed) {
    const { planned, skipped } = trim(item, range, layoutOf(layouts, item.term.xorbId));
    if (terms.length === 0) offsetIntoFirstRange = range.start - (item.fileOffset + skipped);
    terms.push(planned);
    const known = byXorb.get(planned.xorbId);
    if (known === undefined) byXorb.set(planned.xorbId, [planned]);
    else known.push(planned);
  }
  const fetches = new Map([...byXorb].map(([id, list]) => [id, merge(list, layoutOf(layouts, id))] as const));
  return { offsetIntoFirstRange, terms, fetches };
}
