import {
  CHUNK_ROW_BYTES,
  type ChunkTable,
  chunkHashAt,
  rawEnd,
  storedEnd,
  writeChunkRow,
} from '../files/xet/chunk-table.ts';
import type { Term } from '../files/xet/terms.ts';
import { MAX_XORB_CHUNKS, MAX_XORB_RAW_BYTES } from '../files/xet/xorb.ts';
import type { HalfDead } from './find-half-dead.ts';

/** Some records of a stored xorb that follow each other. */
interface StoredRun {
  readonly objectKey: string;
  readonly start: number;
  /** Last byte. */
  readonly end: number;
}

/** A new xorb made of chunks of old ones. */
export interface Packing {
  readonly sources: readonly HalfDead[];
  readonly table: ChunkTable;
  readonly storedBytes: number;
  readonly runs: readonly StoredRun[];
  /** By old xorb: old chunk -> new chunk. */
  readonly places: ReadonlyMap<number, ReadonlyMap<number, number>>;
}

/** Puts xorbs of one domain together, as many as fit into a new one each; none is split. Pure. */
export function* groupForPacking(xorbs: readonly HalfDead[]): Generator<HalfDead[]> {
  let group: HalfDead[] = [];
  let [chunks, bytes] = [0, 0];
  for (const xorb of [...xorbs].sort((a, b) => a.domainId - b.domainId || a.id - b.id)) {
    const isFull =
      chunks + xorb.live.length > MAX_XORB_CHUNKS ||
      bytes + xorb.liveRawBytes > MAX_XORB_RAW_BYTES ||
      (group[0] !== undefined && group[0].domainId !== xorb.domainId);
    if (isFull) {
      yield group;
      [group, chunks, bytes] = [[], 0, 0];
    }
    group.push(xorb);
    chunks += xorb.live.length;
    bytes += xorb.liveRawBytes;
  }
  if (group.length > 0) yield group;
}

/** Lays the used chunks of `sources` out in a new xorb, in their order, records as they are. Pure. */
export function packChunks(sources: readonly HalfDead[], tables: ReadonlyMap<number, ChunkTable>): Packing {
  const count = sources.reduce((sum, { live }) => sum + live.length, 0);
  const table = Buffer.allocUnsafe(count * CHUNK_ROW_BYTES);
  const runs: { objectKey: string; start: number; end: number }[] = [];
  const places = new Map<number, Map<number, number>>();
  let [nth, stored, raw] = [0, 0, 0];
  for (const { id, live, objectKey } of sources) {
    const old = tables.get(id);
    if (old === undefined) throw new Error(`xorb ${id} is gone`);
    const place = new Map<number, number>();
    let previous = -2;
    for (const chunk of live) {
      const [start, end] = [storedEnd(old, chunk - 1), storedEnd(old, chunk)];
      stored += end - start;
      raw += rawEnd(old, chunk) - rawEnd(old, chunk - 1);
      writeChunkRow(table, nth, { hash: chunkHashAt(old, chunk), storedEnd: stored, rawEnd: raw });
      const last = runs.at(-1);
      if (previous === chunk - 1 && last !== undefined) last.end = end - 1;
      else runs.push({ objectKey, start, end: end - 1 });
      place.set(chunk, nth++);
      previous = chunk;
    }
    places.set(id, place);
  }
  return { sources, table, storedBytes: stored, runs, places };
}

/**
 * A file's terms after the packing, or null when one of them uses a chunk of an old xorb that was not copied: then the
 * file stays as it is. Pure.
 */
export function moveTerms(terms: readonly Term[], packing: Packing, newXorbId: number): Term[] | null {
  const moved: Term[] = [];
  for (const term of terms) {
    const place = packing.places.get(term.xorbId);
    if (place === undefined) {
      moved.push(term);
      continue;
    }
    const start = place.get(term.start);
    if (start === undefined) return null;
    for (let i = term.start; i < term.end; i++) if (place.get(i) !== start + (i - term.start)) return null;
    moved.push({ xorbId: newXorbId, start, end: start + term.end - term.start, rawBytes: term.rawBytes });
  }
  return moved;
}
