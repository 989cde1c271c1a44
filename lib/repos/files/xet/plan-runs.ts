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
const BYTES_PER_QUERY = 64 * 1024 * 1024;
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

interface Tables {
  readonly known: BoundedCache<Buffer>;
  /** Queries under way, by id: a hundred readers of one file ask once. */
  readonly loading: Map<number, Promise<Map<number, Buffer>>>;
}

const tablesByDb = new WeakMap<object, Tables>();

function tablesOf(db: App['db']): Tables {
  let tables = tablesByDb.get(db);
  if (tables === undefined)
    tablesByDb.set(db, (tables = { known: new BoundedCache(TABLES_BYTES), loading: new Map() }));
  return tables;
}

/** Chunk tables by xorb id; they never change. */
async function readTables({ db }: Pick<App, 'db'>, ids: readonly number[]): Promise<Map<number, Buffer>> {
  const { known, loading } = tablesOf(db);
  const missing = ids.filter((id) => known.get(null, String(id)) === undefined && !loading.has(id));
  if (missing.length > 0) {
    const tables = chunkTables(db, missing).finally(() => missing.forEach((id) => loading.delete(id)));
    tables.catch(() => {}); // it is awaited below, or an earlier one has failed
    for (const id of missing) loading.set(id, tables);
  }
  const found = new Map<number, Buffer>();
  const asked = ids.map((id) => [id, known.get(null, String(id)) ?? loading.get(id)] as const);
  for (const [id, source] of asked) {
    const table = source instanceof Promise ? (await source).get(id) : source;
    if (table === undefined) continue;
    if (source instanceof Promise) known.set(null, String(id), table, table.length + 100);
    found.set(id, table);
  }
  return found;
}

/** Terms whose tables are read together: a few, and of large ones no more than are needed soon. */
function* batchesOf(placed: readonly PlacedTerm[]): Generator<PlacedTerm[]> {
  let batch: PlacedTerm[] = [];
  let bytes = 0;
  for (const item of placed) {
    batch.push(item);
    bytes += item.term.rawBytes;
    if (batch.length < TERMS_PER_QUERY && bytes < BYTES_PER_QUERY) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
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
  let count = 0;
  const nextBytes = () => runBytes(count++);
  for (const batch of batchesOf(selectTerms(terms, range))) {
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
