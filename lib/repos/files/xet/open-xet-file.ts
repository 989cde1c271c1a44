import type { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import type { App } from '#lib/identity/context.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';
import { type Pieces, piecesOf, readableOf } from '#lib/storage/pieces.ts';
import { xetFileById } from './db.ts';
import { readTerms } from './read-terms.ts';
import { createSlots } from './slots.ts';
import { unpackTerms } from './terms.ts';

/** Bounds the bridge's memory, and keeps its decoding well below what the threads let wait. */
const streams = createSlots({ limit: 64, maxWaiting: 256, maxWaitMs: 30_000, what: 'downloads' });

async function* nothing(): AsyncGenerator<Buffer> {}

/**
 * The bridge: a Xet file as plain bytes, whole or a range (inclusive) of it, for readers who do not speak Xet. The
 * caller has checked the right to read. Memory is bounded by the budget of read-terms.ts; ending the pieces or
 * aborting `signal` ends all work. At most 64 run at a time, besides those that the caller counts himself; more wait for
 * up to 30 s. Throws overloaded then,
 * entry_not_found when the file is unknown or known to be damaged, and range_not_satisfiable when the range is not
 * inside the file. Fails in mid-stream, never silently, when a stored object is damaged or missing.
 */
export async function openXetPieces(
  app: App,
  fileId: number,
  {
    range,
    signal,
    isCounted = false,
  }: { range?: ByteRange | undefined; signal?: AbortSignal | undefined; isCounted?: boolean } = {},
): Promise<Pieces> {
  const file = await xetFileById(app.db, fileId);
  if (file === null || file.sha256State === 'bad' || file.sha256State === 'lost')
    throw hubError('entry_not_found', 'The contents of this file are not available');
  const wanted = range ?? { start: 0, end: file.sizeBytes - 1 };
  if (range !== undefined && (range.start < 0 || range.end < range.start || range.end >= file.sizeBytes))
    throw hubError('range_not_satisfiable', `the file has ${file.sizeBytes} bytes`, {
      details: { contentRange: `bytes */${file.sizeBytes}` },
    });
  if (file.sizeBytes === 0) return piecesOf(nothing());
  const whileOpen = signal ?? new AbortController().signal;
  const release = isCounted ? undefined : await streams.hold(whileOpen);
  return piecesOf(readTerms(app, unpackTerms(file.terms), wanted, whileOpen), release);
}

/** As openXetPieces, as a stream of copies. */
export async function openXetFile(
  app: App,
  fileId: number,
  range?: ByteRange,
  signal?: AbortSignal,
): Promise<Readable> {
  return readableOf(await openXetPieces(app, fileId, { range, signal }), signal);
}
