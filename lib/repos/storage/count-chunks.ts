import type { XorbLayout } from '../files/xet/plan-reconstruction.ts';

/** Chunks [start, end) of a xorb that something uses. */
export interface Use {
  /** Number of the file of the repo, in the order in which they came; or of the other repo. */
  readonly who: number;
  readonly start: number;
  readonly end: number;
}

/** Sums over chunks, by the numbers of files, refs and other repos. */
export interface Counts {
  storedBytes: number;
  rawBytes: number;
  sharedBytes: number;
  /** Of files: bytes that it uses, that only it uses, and that it was the first to use. */
  readonly used: Float64Array;
  readonly only: Float64Array;
  readonly first: Float64Array;
  /** Bytes that files of one ref alone use. */
  readonly ofRef: Float64Array;
  readonly ofOther: Float64Array;
}

/** Counts that begin at nothing. */
export function newCounts(files: number, refs: number, others: number): Counts {
  return {
    storedBytes: 0,
    rawBytes: 0,
    sharedBytes: 0,
    used: new Float64Array(files),
    only: new Float64Array(files),
    first: new Float64Array(files),
    ofRef: new Float64Array(refs),
    ofOther: new Float64Array(others),
  };
}

const NOBODY = -1;

/** Adds one stored thing that is not cut into chunks, with the files (ascending) and other repos that use it. */
export function countWhole(
  counts: Counts,
  bytes: number,
  files: readonly number[],
  others: readonly number[],
  refsOf: (file: number) => number,
): void {
  const layout = { chunkCount: 1, storedEnds: [bytes], rawEnds: [bytes] };
  const use = (who: number): Use => ({ who, start: 0, end: 1 });
  countXorb(counts, layout, files.map(use), others.map(use), refsOf);
}

/**
 * Adds the chunks of one xorb that files of the repo use. `uses` are in the order of the files, `others` in the order of
 * the other repos. Pure; time in proportion to the chunks of all uses.
 */
export function countXorb(
  counts: Counts,
  layout: Pick<XorbLayout, 'chunkCount'> & {
    readonly storedEnds: ArrayLike<number>;
    readonly rawEnds: ArrayLike<number>;
  },
  uses: readonly Use[],
  others: readonly Use[],
  refsOf: (file: number) => number,
): void {
  const n = layout.chunkCount;
  const size = (ends: ArrayLike<number>, c: number) =>
    (ends[c] as number) - (c === 0 ? 0 : (ends[c - 1] as number));
  const firstUser = new Int32Array(n).fill(NOBODY);
  const lastUser = new Int32Array(n).fill(NOBODY);
  const isMany = new Uint8Array(n);
  const refs = new Int32Array(n);
  for (const { who, start, end } of uses)
    for (let c = start; c < end && c < n; c++) {
      if (lastUser[c] === who) continue;
      counts.used[who] = (counts.used[who] as number) + size(layout.storedEnds, c);
      if (firstUser[c] === NOBODY) firstUser[c] = who;
      else isMany[c] = 1;
      lastUser[c] = who;
      refs[c] = (refs[c] as number) | refsOf(who);
    }
  const lastOther = new Int32Array(n).fill(NOBODY);
  for (const { who, start, end } of others)
    for (let c = start; c < end && c < n; c++) {
      if (firstUser[c] === NOBODY || lastOther[c] === who) continue;
      lastOther[c] = who;
      counts.ofOther[who] = (counts.ofOther[who] as number) + size(layout.storedEnds, c);
    }
  for (let c = 0; c < n; c++) {
    const file = firstUser[c] as number;
    if (file === NOBODY) continue;
    const bytes = size(layout.storedEnds, c);
    counts.storedBytes += bytes;
    counts.rawBytes += size(layout.rawEnds, c);
    counts.first[file] = (counts.first[file] as number) + bytes;
    if (isMany[c] === 0) counts.only[file] = (counts.only[file] as number) + bytes;
    if (lastOther[c] !== NOBODY) counts.sharedBytes += bytes;
    const mask = refs[c] as number;
    const bit = 31 - Math.clz32(mask);
    if (mask !== 0 && mask === 1 << bit && bit < counts.ofRef.length)
      counts.ofRef[bit] = (counts.ofRef[bit] as number) + bytes;
  }
}
