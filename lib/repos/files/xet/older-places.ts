import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { findIndexedXorbs, isAskedFor, type NearXorb, xorbsNear } from './chunk-index.ts';
import { chunkCount, chunkHashAt, rawEnd } from './chunk-table.ts';
import { chunkTables } from './db.ts';
import { newestXorbs } from './newest-xorbs.ts';
import { type PlacedChunk, type Term, termsOf } from './terms.ts';

/** Chunks of one file that are looked at together: 4 GB of it, 15 MB of memory. */
const MAX_CHUNKS = 65_536;
/** Chunks of other files that they are compared with: 40 bytes each are read, a few xorbs at a time. */
const MAX_COMPARED_CHUNKS = 300_000;
const TABLES_AT_ONCE = 16;
/** A shorter run stays: what it frees is not worth a request more for every reader. */
const MIN_RUN_BYTES = 512 * 1024;

/** A chunk of a file with its hash as latin1. */
export interface HashedChunk extends PlacedChunk {
  readonly hash: string;
}

/** The chunks of a file in their order, 65,536 at a time, from the stored chunk lists. */
export async function* chunksOfTerms(db: Queryable, terms: readonly Term[]): AsyncGenerator<HashedChunk[]> {
  let slice: HashedChunk[] = [];
  for (let at = 0; at < terms.length; at += TABLES_AT_ONCE) {
    const batch = terms.slice(at, at + TABLES_AT_ONCE);
    const tables = await chunkTables(db, [...new Set(batch.map(({ xorbId }) => xorbId))]);
    for (const { xorbId, start, end } of batch) {
      const table = tables.get(xorbId);
      if (table === undefined) throw new Error(`xorb ${xorbId} is gone`);
      for (let index = start; index < end; index++) {
        const hash = chunkHashAt(table, index).toString('latin1');
        slice.push({ hash, xorbId, index, rawBytes: rawEnd(table, index) - rawEnd(table, index - 1) });
        if (slice.length < MAX_CHUNKS) continue;
        yield slice;
        slice = [];
      }
    }
  }
  if (slice.length > 0) yield slice;
}

/** Xorbs of files before this one in which its chunks may be: those that a client would find, and the newest. */
async function candidates(
  db: Queryable,
  place: { readonly domainId: number; readonly repoId: RepoId; readonly fileId: number },
  chunks: readonly HashedChunk[],
): Promise<NearXorb[]> {
  const asked = chunks
    .map(({ hash }) => Buffer.from(hash, 'latin1'))
    .filter((hash, i) => i === 0 || isAskedFor(hash));
  const found = new Map<number, NearXorb>();
  const add = (near: readonly NearXorb[]) => {
    for (const xorb of near) if (!found.has(xorb.id)) found.set(xorb.id, xorb);
  };
  for (const xorbId of await findIndexedXorbs(db, place.domainId, asked))
    if (!found.has(xorbId)) add(await xorbsNear(db, place.domainId, xorbId, place.fileId));
  add(await newestXorbs(db, place, { before: place.fileId }));
  let budget = MAX_COMPARED_CHUNKS;
  const fitting = [...found.values()].filter((xorb) => (budget -= xorb.chunkCount) >= 0);
  return fitting.sort((a, b) => a.fileId - b.fileId || a.id - b.id); // the place that others will choose too
}

/**
 * Where else these chunks of a file are stored, by hash: in xorbs of files that were registered before it, the oldest
 * first. Chunks that it shares with such a file already are left out. Finds what a client could have found, not all
 * that there is.
 */
export async function olderPlaces(
  db: Queryable,
  place: { readonly domainId: number; readonly repoId: RepoId; readonly fileId: number },
  chunks: readonly HashedChunk[],
): Promise<Map<string, { readonly xorbId: number; readonly index: number }>> {
  const older = await candidates(db, place, chunks);
  const shared = new Set(older.map(({ id }) => id));
  const wanted = new Set(chunks.filter(({ xorbId }) => !shared.has(xorbId)).map(({ hash }) => hash));
  const places = new Map<string, { xorbId: number; index: number }>();
  for (let at = 0; at < older.length && places.size < wanted.size; at += TABLES_AT_ONCE) {
    const ids = older.slice(at, at + TABLES_AT_ONCE).map(({ id }) => id);
    const tables = await chunkTables(db, ids);
    for (const xorbId of ids) {
      const table = tables.get(xorbId) ?? Buffer.alloc(0);
      for (let index = 0; index < chunkCount(table); index++) {
        const hash = chunkHashAt(table, index).toString('latin1');
        if (wanted.has(hash) && !places.has(hash)) places.set(hash, { xorbId, index });
      }
    }
  }
  return places;
}

/** Moves runs of at least 512 KiB that stand in a row at their other place too; the rest stays. Pure. */
export function moveRuns(
  chunks: readonly HashedChunk[],
  places: ReadonlyMap<string, { readonly xorbId: number; readonly index: number }>,
): Term[] {
  const moved: PlacedChunk[] = [];
  for (let start = 0; start < chunks.length; ) {
    const to = places.get((chunks[start] as HashedChunk).hash);
    const isInRow = ({ hash }: HashedChunk, i: number): boolean => {
      const next = places.get(hash);
      return next?.xorbId === to?.xorbId && (to === undefined || next?.index === to.index + i);
    };
    let end = start;
    while (end < chunks.length && isInRow(chunks[end] as HashedChunk, end - start)) end++;
    const run = chunks.slice(start, end);
    const rawBytes = run.reduce((sum, chunk) => sum + chunk.rawBytes, 0);
    const isMoved = to !== undefined && rawBytes >= MIN_RUN_BYTES;
    for (const [i, chunk] of run.entries())
      moved.push(isMoved ? { ...chunk, xorbId: to.xorbId, index: to.index + i } : chunk);
    start = end;
  }
  return termsOf(moved);
}
