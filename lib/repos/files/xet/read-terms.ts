import type { App } from '#lib/identity/context.ts';
import { MemoryBudget } from '#lib/storage/memory-budget.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';
import { bufferSize, giveBuffer, takeBuffer } from '#lib/storage/piece-buffers.ts';
import { planRuns, type Run } from './plan-runs.ts';
import type { Term } from './terms.ts';
import { workerPool } from './worker-pool.ts';

const MIB = 1024 * 1024;
/** Of all streams in a process: 64 of them have two runs of the least size each. */
export const BRIDGE_BYTES = 64 * MIB;
const budget = new MemoryBudget(BRIDGE_BYTES);
/** Runs grow from the first size to the second: quick start, then few requests. */
const MIN_RUN_BYTES = MIB / 4;
const MAX_RUN_BYTES = MIB;
/** One with the reader, the others under way ahead of him. */
const MAX_RUNS = 4;
const MIN_RUNS = 2;

/** What one stream may hold now: a run is there as stored and as raw bytes. */
function limitsNow(): { runBytes: number; runs: number } {
  const share = budget.share / 2;
  const runBytes = bufferSize(MIN_RUN_BYTES, share / MAX_RUNS, MAX_RUN_BYTES);
  return { runBytes, runs: Math.max(MIN_RUNS, Math.min(MAX_RUNS, Math.floor(share / runBytes))) };
}

const takeBytes = (bytes: number) => new Uint8Array(takeBuffer(bytes), 0, bytes);

/** Fetches and decodes a run; its bytes of the range are in a buffer that the caller gives back. */
async function fetchRun(app: App, run: Run, signal: AbortSignal): Promise<Buffer<ArrayBuffer>> {
  const stored = takeBytes(run.bytes.end - run.bytes.start + 1);
  let raw: Uint8Array<ArrayBuffer> | undefined;
  try {
    await app.store.fill(run.objectKey, run.bytes.start, stored, signal);
    raw = takeBytes(run.rawBytes);
    const input = { stored, rows: run.rows, origin: run.origin, raw };
    const done = await workerPool(app).run('decodeRecords', input, [stored.buffer, raw.buffer]);
    giveBuffer(done.stored.buffer as ArrayBuffer);
    return Buffer.from(done.raw.buffer as ArrayBuffer, run.skip, run.stop - run.skip);
  } catch (error) {
    giveBuffer(stored.buffer);
    if (raw) giveBuffer(raw.buffer);
    throw error;
  }
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
  const runBytes = (index: number) => Math.min(limitsNow().runBytes, MIN_RUN_BYTES * 2 ** index);
  const ahead: Promise<Buffer<ArrayBuffer>>[] = [];
  async function* first(): AsyncGenerator<Buffer> {
    const bytes = await (ahead.shift() as Promise<Buffer<ArrayBuffer>>);
    try {
      yield bytes;
    } finally {
      giveBuffer(bytes.buffer);
    }
  }
  const leave = budget.enter();
  try {
    for await (const run of planRuns(app, terms, range, runBytes)) {
      while (ahead.length >= limitsNow().runs) yield* first();
      const bytes = fetchRun(app, run, signal);
      bytes.catch(() => {}); // it is awaited later, or the reader has left
      ahead.push(bytes);
    }
    while (ahead.length > 0) yield* first();
  } finally {
    leave();
    stop.abort();
    for (const bytes of ahead) void bytes.then((b) => giveBuffer(b.buffer)).catch(() => {}); // those the reader did not wait for
  }
}
