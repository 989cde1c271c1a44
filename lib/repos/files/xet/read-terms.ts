import type { App } from '#lib/identity/context.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';
import { BoundedCache } from '../../git/oid-cache.ts';
import { CHUNK_ROW_BYTES, rawEnd, storedEnd } from './chunk-table.ts';
import { chunkTables, xorbsById } from './db.ts';
import { type PlacedTerm, selectTerms } from './plan-reconstruction.ts';
import type { Term } from './terms.ts';
import { workerPool } from './worker-pool.ts';

/** Consecutive chunks of one xorb that are fetched and decoded together. */
interface Run {
  readonly objectKey: string;
  readonly bytes: ByteRange;
  readonly rows: Buffer;
  readonly origin: { readonly storedStart: number; readonly rawStart: number };
  readonly rawBytes: number;
  /** Of the decoded bytes, those that belong to the range: [skip, stop). */
  readonly skip: number;
  readonly stop: number;
}

/** A run's raw bytes grow from the first to the second: quick start, then few requests. */
const FIRST_RUN_BYTES = 256 * 1024;
const MAX_RUN_BYTES = 1024 * 1024;
/** Runs that are under way ahead of the reader. */
const RUNS_AHEAD = 3;
/** What all streams of a process together hold: runs get smaller, down to FIRST_RUN_BYTES, the more streams there are. */
const BUDGET_BYTES = 96 * 1024 * 1024;
/** A run is held as stored and as raw bytes, those ahead and the one with the reader. */
const BUFFERS_PER_STREAM = 2 * (RUNS_AHEAD + 1);
const MAX_FREE = 4;
const BUFFER_STEP_BYTES = 128 * 1024;
const TERMS_PER_QUERY = 16;
/** Chunk tables that were read last, 40 KB each: a zip of many small files reads the same ones again and again. */
const TABLES_BYTES = 16 * 1024 * 1024;

let openStreams = 0;

function largestRun(): number {
  const share = BUDGET_BYTES / BUFFERS_PER_STREAM / openStreams;
  return Math.max(FIRST_RUN_BYTES, Math.min(MAX_RUN_BYTES, share));
}

/** Cuts the part of a term that lies in the range into runs; `budget` doubles from run to run. */
function* runsOfTerm(
  placed: PlacedTerm,
  range: ByteRange,
  xorb: { objectKey: string; table: Buffer },
  budget: { bytes: number },
): Generator<Run> {
  const { term, fileOffset } = placed;
  const base = rawEnd(xorb.table, term.start - 1);
  const fileEnd = (index: number) => fileOffset + rawEnd(xorb.table, index) - base;
  let start = term.start;
  while (start < term.end && fileEnd(start) <= range.start) start++;
  while (start < term.end && fileEnd(start - 1) <= range.end) {
    let end = start + 1;
    while (
      end < term.end &&
      fileEnd(end) - fileEnd(start - 1) <= budget.bytes &&
      fileEnd(end - 1) <= range.end
    )
      end++;
    const from = fileEnd(start - 1);
    const origin = { storedStart: storedEnd(xorb.table, start - 1), rawStart: rawEnd(xorb.table, start - 1) };
    yield {
      objectKey: xorb.objectKey,
      bytes: { start: origin.storedStart, end: storedEnd(xorb.table, end - 1) - 1 },
      rows: Buffer.from(xorb.table.subarray(start * CHUNK_ROW_BYTES, end * CHUNK_ROW_BYTES)),
      origin,
      rawBytes: fileEnd(end - 1) - from,
      skip: Math.max(0, range.start - from),
      stop: Math.min(fileEnd(end - 1), range.end + 1) - from,
    };
    budget.bytes = Math.min(largestRun(), budget.bytes * 2);
    start = end;
  }
}

const tableCaches = new WeakMap<object, BoundedCache<Buffer>>();

/** Chunk tables by xorb id; they never change. */
async function readTables(app: App, ids: readonly number[]): Promise<Map<number, Buffer>> {
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

/** All runs of a range in order. Chunk tables are loaded for a few terms at a time. */
async function* planRuns(app: App, terms: readonly Term[], range: ByteRange): AsyncGenerator<Run> {
  const placed = selectTerms(terms, range);
  const budget = { bytes: FIRST_RUN_BYTES };
  for (let at = 0; at < placed.length; at += TERMS_PER_QUERY) {
    const batch = placed.slice(at, at + TERMS_PER_QUERY);
    const ids = [...new Set(batch.map((p) => p.term.xorbId))];
    const [rows, tables] = [await xorbsById(app.db, ids), await readTables(app, ids)];
    const keys = new Map(rows.map((row) => [row.id, row.objectKey]));
    for (const item of batch) {
      const [objectKey, table] = [keys.get(item.term.xorbId), tables.get(item.term.xorbId)];
      if (objectKey === undefined || table === undefined) throw new Error(`xorb ${item.term.xorbId} is gone`);
      yield* runsOfTerm(item, range, { objectKey, table }, budget);
    }
  }
}

/**
 * Buffers of one stream that are used again, and freed when it ends: dropped memory outside V8's heap is slow to be
 * collected.
 */
class Buffers {
  readonly #free: ArrayBuffer[] = [];
  #isOpen = true;

  take(bytes: number): Uint8Array<ArrayBuffer> {
    const fitting = this.#free.findIndex((buffer) => buffer.byteLength >= bytes);
    const size = Math.ceil(bytes / BUFFER_STEP_BYTES) * BUFFER_STEP_BYTES; // so that the next run fits too
    const [buffer] = fitting < 0 ? [new ArrayBuffer(size)] : this.#free.splice(fitting, 1);
    return new Uint8Array(buffer as ArrayBuffer, 0, bytes);
  }

  give(bytes: Uint8Array): void {
    if (this.#free.length >= MAX_FREE) this.#free.shift()?.transfer(0); // the first ones are small
    this.#free.push(bytes.buffer as ArrayBuffer);
    if (!this.#isOpen) this.close();
  }

  close(): void {
    this.#isOpen = false;
    for (const buffer of this.#free.splice(0)) buffer.transfer(0);
  }
}

async function fetchRun(app: App, run: Run, buffers: Buffers, signal: AbortSignal): Promise<Buffer> {
  const source = await app.store.pieces(run.objectKey, { range: run.bytes, signal });
  const stored = buffers.take(run.bytes.end - run.bytes.start + 1);
  let filled = 0;
  for await (const part of source) filled += part.copy(stored, filled);
  if (filled !== stored.length) throw new Error('a stored xorb is shorter than its chunk list');
  const raw = buffers.take(run.rawBytes);
  const input = { stored, rows: run.rows, origin: run.origin, raw };
  const done = await workerPool(app).run('decodeRecords', input, [stored.buffer, raw.buffer]);
  buffers.give(done.stored);
  return Buffer.from(done.raw.buffer as ArrayBuffer, run.skip, run.stop - run.skip);
}

/**
 * The bytes of a range (inclusive, inside the file) of a file given by its terms, in order. Runs ahead of the reader
 * by a few MiB, whatever the size of the file; every chunk is checked against its hash, so that a damaged object ends
 * the stream in an error and never in wrong bytes. What is yielded is only valid until the next piece is asked for.
 */
export async function* readTerms(
  app: App,
  terms: readonly Term[],
  range: ByteRange,
  whileOpen: AbortSignal,
): AsyncGenerator<Buffer> {
  const stop = new AbortController();
  const signal = AbortSignal.any([whileOpen, stop.signal]);
  const buffers = new Buffers();
  const ahead: Promise<Buffer>[] = [];
  async function* first(): AsyncGenerator<Buffer> {
    const bytes = await (ahead.shift() as Promise<Buffer>);
    try {
      yield bytes;
    } finally {
      buffers.give(bytes);
    }
  }
  openStreams++;
  try {
    for await (const run of planRuns(app, terms, range)) {
      const bytes = fetchRun(app, run, buffers, signal);
      bytes.catch(() => {}); // it is awaited later, or the reader has left
      ahead.push(bytes);
      if (ahead.length > RUNS_AHEAD) yield* first();
    }
    while (ahead.length > 0) yield* first();
  } finally {
    openStreams--;
    stop.abort();
    for (const bytes of ahead) void bytes.then((b) => buffers.give(b)).catch(() => {}); // those the reader did not wait for
    buffers.close();
  }
}
