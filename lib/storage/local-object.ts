import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, pipeline, Readable } from 'node:stream';
import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import { exactLength, LengthMismatch } from './exact-length.ts';
import { nullWhenMissing } from './local-write.ts';
import { type ByteRange, ObjectMissing } from './object-store.ts';

/** A folder of this name holds an object that came in parts: joining them costs nothing, and they stay as written. */
export const PARTS_SUFFIX = '.parts';
/** File in such a folder that lists the parts in order. */
export const MANIFEST = 'manifest.json';
const READ_CHUNK_BYTES = 1 << 18;

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

/** Streams the object at `path` or exactly `range` of it. */
export async function readObject(
  path: string,
  key: string,
  { range, signal }: { range?: ByteRange; signal?: AbortSignal },
): Promise<Readable> {
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
    const source = file
      ? file.createReadStream({ start, end: Math.max(end, start), highWaterMark: READ_CHUNK_BYTES })
      : Readable.from(readParts(path + PARTS_SUFFIX, manifest as Manifest, start, end), {
          objectMode: false,
        });
    const exact = pipeline(source, exactLength(end - start + 1), () => {});
    return signal ? addAbortSignal(signal, exact) : exact;
  } catch (error) {
    await file?.close();
    throw error;
  }
}

/** The bytes from `start` to `end` of parts that lie end to end. A part that lost bytes is an error at once. */
async function* readParts(
  folder: string,
  { parts }: Manifest,
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  let at = 0;
  for (const part of parts) {
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, part.sizeBytes - 1);
    at += part.sizeBytes;
    if (from > to) continue;
    let received = 0;
    const path = join(folder, part.name);
    for await (const chunk of createReadStream(path, {
      start: from,
      end: to,
      highWaterMark: READ_CHUNK_BYTES,
    })) {
      received += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
    if (received !== to - from + 1) throw new LengthMismatch(to - from + 1, received, true);
  }
}
