import { type FileHandle, open, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import { LengthMismatch } from './exact-length.ts';
import { nullWhenMissing } from './local-write.ts';
import { MemoryBudget } from './memory-budget.ts';
import { type ByteRange, ObjectMissing } from './object-store.ts';
import { bufferSize, giveBuffer, takeBuffer } from './piece-buffers.ts';
import { type Pieces, piecesOf } from './pieces.ts';

/** A folder of this name holds an object that came in parts: joining them costs nothing, and they stay as written. */
export const PARTS_SUFFIX = '.parts';
/** File in such a folder that lists the parts in order. */
export const MANIFEST = 'manifest.json';

const MIB = 1024 * 1024;
/** Of all readers in a process, as long as their pieces are not below the least size. */
export const READ_BYTES = 48 * MIB;
const budget = new MemoryBudget(READ_BYTES);
/** Smaller ones cost more than they save. */
const MIN_PIECE_BYTES = MIB / 16;
const MAX_PIECE_BYTES = MIB;
/** One with the reader, one being filled. */
const BUFFERS = 2;

const manifestSchema = z.object({ parts: z.array(z.object({ name: z.string(), sizeBytes: z.number() })) });
export type Manifest = z.infer<typeof manifestSchema>;

async function readManifest(path: string): Promise<Manifest | null> {
  const text = await readFile(join(path + PARTS_SUFFIX, MANIFEST), 'utf8').catch(nullWhenMissing);
  return text === null ? null : manifestSchema.parse(JSON.parse(text));
}

const sizeOf = (manifest: Manifest) => manifest.parts.reduce((sum, part) => sum + part.sizeBytes, 0);

/** Size and age of the object at `path`, or null. */
export async function statObject(
  path: string,
): Promise<{ sizeBytes: number; lastModifiedMs: number } | null> {
  const info = await stat(path).catch(nullWhenMissing);
  if (info?.isFile()) return { sizeBytes: info.size, lastModifiedMs: info.mtimeMs };
  const manifest = await readManifest(path);
  const age = manifest && (await stat(join(path + PARTS_SUFFIX, MANIFEST)).catch(nullWhenMissing));
  return age ? { sizeBytes: sizeOf(manifest), lastModifiedMs: age.mtimeMs } : null;
}

/** Removes the object at `path`, if there is one. One made of parts vanishes at once, by a rename into `temp`. */
export async function deleteObject(path: string, temp: string): Promise<void> {
  await unlink(path).catch(nullWhenMissing);
  const grave = join(temp, `deleted-${crypto.randomUUID()}`);
  const moved = await rename(path + PARTS_SUFFIX, grave).then(() => true, nullWhenMissing);
  if (moved) await rm(grave, { recursive: true, force: true });
}

/** The object at `path`, or exactly `range` of it, in pieces. */
export async function readObject(
  path: string,
  key: string,
  { range, signal }: { range?: ByteRange; signal?: AbortSignal },
): Promise<Pieces> {
  signal?.throwIfAborted();
  const file = await open(path, 'r').catch(nullWhenMissing);
  try {
    const manifest = file ? null : await readManifest(path);
    if (!file && !manifest) throw new ObjectMissing(key);
    const sizeBytes = file ? (await file.stat()).size : sizeOf(manifest as Manifest);
    const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
    if (range && (start < 0 || end < start || end >= sizeBytes))
      throw hubError(
        'range_not_satisfiable',
        `bytes ${start}-${end} are not in an object of ${sizeBytes} bytes`,
      );
    const leave = budget.enter();
    const source = file
      ? readSpan(file, start, end, signal)
      : readParts(path + PARTS_SUFFIX, manifest as Manifest, { start, end }, signal);
    return piecesOf(source, async () => {
      leave();
      await file?.close();
    });
  } catch (error) {
    await file?.close();
    throw error;
  }
}

/** Fills `target` with the bytes of the object at `path` from `start` on. When it settles nothing is written any more. */
export async function fillFromObject(
  path: string,
  key: string,
  start: number,
  target: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const file = await open(path, 'r').catch(nullWhenMissing);
  if (file) return void (await fill(file, target, start).finally(() => file.close()));
  const manifest = await readManifest(path);
  if (!manifest) throw new ObjectMissing(key);
  let filled = 0;
  for (const { name, from, to } of spansOf(manifest, { start, end: start + target.length - 1 })) {
    signal?.throwIfAborted();
    const part = await open(join(path + PARTS_SUFFIX, name), 'r');
    const end = filled + to - from + 1;
    await fill(part, target.subarray(filled, end), from).finally(() => part.close());
    filled = end;
  }
  if (filled < target.length) throw new LengthMismatch(target.length, filled, true);
}

/** Where the bytes of a range lie in parts that follow one another: `from` and `to` (inclusive) of each. */
function* spansOf(
  { parts }: Manifest,
  { start, end }: ByteRange,
): Generator<{ name: string; from: number; to: number }> {
  let at = 0;
  for (const { name, sizeBytes } of parts) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, sizeBytes - 1);
    at += sizeBytes;
    if (from <= to) yield { name, from, to };
  }
}

/** The bytes of a range of parts. A part that lost bytes is an error. */
async function* readParts(
  folder: string,
  manifest: Manifest,
  range: ByteRange,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  for (const { name, from, to } of spansOf(manifest, range)) {
    const file = await open(join(folder, name), 'r');
    try {
      yield* readSpan(file, from, to, signal);
    } finally {
      await file.close();
    }
  }
}

/** The bytes from `start` to `end` of a file; the next ones are read while one piece is with the reader. */
async function* readSpan(
  file: FileHandle,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const ahead: { buffer: ArrayBuffer; filled: Promise<Buffer> }[] = [];
  let at = start;
  const readAhead = () => {
    while (ahead.length < BUFFERS && at <= end) {
      const bytes = Math.min(
        bufferSize(MIN_PIECE_BYTES, budget.share / BUFFERS, MAX_PIECE_BYTES),
        end - at + 1,
      );
      const buffer = takeBuffer(bytes);
      const filled = fill(file, Buffer.from(buffer, 0, bytes), at);
      filled.catch(() => {}); // it is awaited later, or the reader has left
      ahead.push({ buffer, filled });
      at += bytes;
    }
  };
  try {
    readAhead();
    for (let first = ahead[0]; first !== undefined; first = ahead[0]) {
      yield await first.filled;
      signal?.throwIfAborted();
      ahead.shift();
      giveBuffer(first.buffer);
      readAhead();
    }
  } finally {
    for (const { buffer, filled } of ahead) {
      await filled.catch(() => {}); // the system must be done with a buffer before someone else gets it
      giveBuffer(buffer);
    }
  }
}

async function fill<T extends Uint8Array>(file: FileHandle, target: T, position: number): Promise<T> {
  for (let filled = 0; filled < target.length; ) {
    const { bytesRead } = await file.read(target, filled, target.length - filled, position + filled);
    if (bytesRead === 0) throw new LengthMismatch(target.length, filled, true);
    filled += bytesRead;
  }
  return target;
}
