import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asStorageFull } from '#lib/base/disk-full.ts';
import { LengthMismatch } from './exact-length.ts';
import { FileSink, type SinkOptions } from './file-sink.ts';

/** True for ENOENT and for a path through something that is not a folder. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** For `.catch`: what is not there is null, every other failure stays one. */
export function nullWhenMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

/** Makes the names in a folder durable. */
export async function syncDirectory(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export interface WriteOptions extends SinkOptions {
  readonly signal?: AbortSignal;
}

/**
 * Writes exactly `sizeBytes` to a new file in `temp`, fsyncs it and returns its path. Removes it again when the
 * body has another length, breaks off or is aborted. A full disk is `storage_full`.
 */
export async function writeTemp(
  temp: string,
  body: Readable | Uint8Array,
  options: WriteOptions,
): Promise<string> {
  const path = join(temp, randomBytes(16).toString('hex'));
  await writeDurably(path, body, options);
  return path;
}

/**
 * The same to a path of the caller's choice, where nothing may be yet; returns how many bytes it has. `whenNamed` runs
 * beside the writing and is over, too, when this returns or anything is told durable. What was told stays when the body
 * fails afterwards, and no more than that.
 */
export async function writeDurably(
  path: string,
  body: Readable | Uint8Array,
  { signal, onDurable, ...options }: WriteOptions,
  whenNamed: () => Promise<void> = async () => {},
): Promise<number> {
  const { sizeBytes } = options;
  if (body instanceof Uint8Array && body.length !== sizeBytes)
    throw new LengthMismatch(sizeBytes, body.length, body.length < sizeBytes);
  const source = body instanceof Uint8Array ? Readable.from([body]) : body;
  const file = await open(path, 'wx', 0o600);
  let toldBytes = 0;
  let sink: FileSink | undefined;
  try {
    const named = whenNamed();
    named.catch(() => {}); // it is told when the bytes are in
    const tell = async (bytes: number) => {
      toldBytes = bytes; // before any wait: who fails meanwhile must not cut it off
      await named;
      await onDurable?.(bytes);
    };
    sink = new FileSink(file, { ...options, onDurable: onDurable && tell });
    await pipeline(source, sink, signal ? { signal } : {});
    await named;
    return sink.writtenBytes;
  } catch (error) {
    await sink?.atRest;
    if (toldBytes === 0) await rm(path, { force: true });
    else await file.truncate(toldBytes).catch(() => {}); // what counts of it is not in the length of the file
    throw asStorageFull(error) ?? error;
  } finally {
    await file.close();
  }
}
