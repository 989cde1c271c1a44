import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asStorageFull } from '#lib/base/disk-full.ts';
import { exactLength, LengthMismatch } from './exact-length.ts';

const WRITE_BUFFER_BYTES = 4 << 20;

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

/**
 * Writes exactly `sizeBytes` to a new file in `temp`, fsyncs it and returns its path. Removes it again when the
 * body has another length, breaks off or is aborted. A full disk is `storage_full`.
 */
export async function writeTemp(
  temp: string,
  body: Readable | Uint8Array,
  options: { sizeBytes: number; signal?: AbortSignal },
): Promise<string> {
  const path = join(temp, randomBytes(16).toString('hex'));
  await writeDurably(path, body, options);
  return path;
}

/** The same to a path of the caller's choice, where nothing may be yet. */
export async function writeDurably(
  path: string,
  body: Readable | Uint8Array,
  options: { sizeBytes: number; signal?: AbortSignal },
): Promise<void> {
  if (body instanceof Uint8Array && body.length !== options.sizeBytes)
    throw new LengthMismatch(options.sizeBytes, body.length, body.length < options.sizeBytes);
  const source = body instanceof Uint8Array ? Readable.from([body]) : body;
  const sink = createWriteStream(path, {
    flags: 'wx',
    mode: 0o600,
    flush: true,
    highWaterMark: WRITE_BUFFER_BYTES,
  });
  try {
    await pipeline(
      source,
      exactLength(options.sizeBytes),
      sink,
      options.signal ? { signal: options.signal } : {},
    );
  } catch (error) {
    await rm(path, { force: true });
    throw asStorageFull(error) ?? error;
  }
}
