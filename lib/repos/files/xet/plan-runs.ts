import type { App } from '#lib/identity/context.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';
import { BoundedCache } from '../../git/oid-cache.ts';
import { CHUNK_ROW_BYTES, rawEnd, storedEnd } from './chunk-table.ts';
import { chunkTables, xorbsById } from './db.ts';
import { type PlacedTerm, selectTerms } from './plan-reconstruction.ts';
import type { Term } from './terms.ts';

/** Consecutive chunks of one xorb that are fetched and decoded together. */
export interface Run {
  readonly objectKey: string;
  readonly bytes: ByteRange;
  readonly rows: Buffer;
  readonly origin: { readonly storedStart: number; readonly rawStart: number };
  readonly rawBytes: number;
  /** Of the decoded bytes, those that belong to the range: [skip, stop). */
  readonly skip: number;
  readonly stop: number;
}

const TERMS_PER_QUERY = 16;
/** Chunk tables that were read last, 40 KB each: a zip of many small files reads the same ones again and again. */
export const TABLES_BYTES = 16 * 1024 * 1024;

/** Cuts the part of a term that lies in the range into runs. */
function* runsOfTerm(
  placed: PlacedTerm,
  range: ByteRange,
  xorb: { objectKey: string; table: Buffer },
  nextBytes: () => number,
): Generator<Run> {
  const { term, fileOffset } = placed;
  const base = rawEnd(xorb.table, term.start - 1);
  const fileEnd = (index: number) => fileOffset + rawEnd(xorb.table, index) - base;
  let start = term.start;
  while (start < term.end && fileEnd(start) <= range.start) start++;
  while (start < term.end && fileEnd(start - 1) <= range.end) {
    const from = fileEnd(start - 1);
    const origin = { storedStart: storedEnd(xorb.table, start - 1), rawStart: rawEnd(xorb.table, start - 1) };
    const maxBytes = nextBytes();
    const fits = (index: number) =>
      fileEnd(index) - from <= maxBytes && storedEnd(xorb.table, index) - origin.storedStart <= maxBytes;
    let end = start + 1;
    while (end < term.end && fits(end) && fileEnd(end - 1) <= range.end) end++;
    yield {
      objectKey: xorb.objectKey,
      bytes: { start: origin.storedStart, end: storedEnd(xorb.table, end - 1) - 1 },
      rows: xorb.table.subarray(start * CHUNK_ROW_BYTES, end * CHUNK_ROW_BYTES),
      origin,
      rawBytes: fileEnd(end - 1) - from,
      skip: Math.max(0, range.start - from),
      stop: Math.min(fileEnd(end - 1), range.end + 1) - from,
    };
    start = end;
  }
}

const tableCaches = new WeakMap<object, BoundedCache<Buffer>>();

/** Chunk tables by xorb id; they never change. */
async function readTables(app: Pick<App, 'db'>, ids: readonly number[]): Promise<Map<number, Buffer>> {
  let cache = tableCaches.get(app.db);
  if (cache === undefined) tableCaches.set(app.db, (cache = new BoundedCache(TABLES_BYTES)));
  const found = new Map<number, Buffer>();
  for (const id of ids) {
    const table = cache.get(null, String(id));
    if (table !== undefined) found.set(id, table);
  }
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length === 0) return found;
  for (const [id, table] of await chunkTables(app.db, missing)) {
    cache.set(null, String(id), table, table.length + 100);
    found.set(id, table);
  }
  return found;
}

/**
 * All runs of a range in order, the one of index i with at most `runBytes(i)` stored or raw bytes (or a single chunk).
 * Chunk tables are loaded for a few terms at a time.
 */
export async function* planRuns(
  app: Pick<App, 'db'>,
  terms: readonly Term[],
  range: ByteRange,
  runBytes: (index: number) => number,
): AsyncGenerator<Run> {
  const placed = selectTerms(terms, range);
  let count = 0;
  const nextBytes = () => runBytes(count++);
  for (let at = 0; at < placed.length; at += TERMS_PER_QUERY) {
    const batch = placed.slice(at, at + TERMS_PER_QUERY);
    const ids = [...new Set(batch.map((p) => p.term.xorbId))];
    const [rows, tables] = [await xorbsById(app.db, ids), await readTables(app, ids)];
    const keys = new Map(rows.map((row) => [row.id, row.objectKey]));
    for (const item of batch) {
      const [objectKey, table] = [keys.get(item.term.xorbId), tables.get(item.term.xorbId)];
      if (objectKey === undefined || table === undefined) throw new Error(`xorb ${item.term.xorbId} is gone`);
      yield* runsOfTerm(item, range, { objectKey, table }, nextBytes);
    }
  }
}
