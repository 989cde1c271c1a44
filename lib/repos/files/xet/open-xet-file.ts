import { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import type { App } from '#lib/identity/context.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';
import { xetFileById } from './db.ts';
import { readTerms } from './read-terms.ts';
import { createSlots } from './slots.ts';
import { unpackTerms } from './terms.ts';

/** Bounds the bridge's memory to about a gigabyte, and keeps its decoding well below what the threads let wait. */
const streams = createSlots({ limit: 64, maxWaiting: 256, maxWaitMs: 30_000, what: 'downloads' });

/**
 * The bridge: a Xet file as a plain stream of bytes, whole or a range (inclusive) of it, for readers who do not speak
 * Xet. The caller has checked the right to read. Memory is bounded by about 16 MB per stream; destroying the stream
 * or aborting `signal` ends all work. At most 64 streams run at a time; more wait for up to 30 s. Throws overloaded
 * then, entry_not_found when the file is unknown or known to be damaged, and
 * range_not_satisfiable when the range is not inside the file. Fails in mid-stream, never silently, when a stored
 * object is damaged or missing.
 */
export async function openXetFile(
  app: App,
  fileId: number,
  range?: ByteRange,
  signal?: AbortSignal,
): Promise<Readable> {
  const file = await xetFileById(app.db, fileId);
  if (file === null || file.sha256State === 'bad' || file.sha256State === 'lost')
    throw hubError('entry_not_found', 'The contents of this file are not available');
  const wanted = range ?? { start: 0, end: file.sizeBytes - 1 };
  if (range !== undefined && (range.start < 0 || range.end < range.start || range.end >= file.sizeBytes))
    throw hubError('range_not_satisfiable', `the file has ${file.sizeBytes} bytes`, {
      details: { contentRange: `bytes */${file.sizeBytes}` },
    });
  if (file.sizeBytes === 0) return Readable.from([], { objectMode: false });
  const whileOpen = signal ?? new AbortController().signal;
  const release = await streams.hold(whileOpen);
  const bytes = readTerms(app, unpackTerms(file.terms), wanted, { signal: whileOpen, reuseBuffers: false });
  const stream = Readable.from(bytes, { objectMode: false, highWaterMark: 1 });
  return stream.once('close', release);
}
