import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { failpoint } from '#lib/base/failpoint.ts';
import { nullWhenMissing } from '#lib/storage/local-write.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';
import { type ListedObject, place, syncFolder } from './backup-folder.ts';

/** Objects that are copied at the same time; each holds a few hundred kilobytes. */
const AT_ONCE = 4;
/** Sums are written and folders made durable for so many objects together. */
const SYNC_EVERY = 200;

/** What became of the copying. */
export interface Copied {
  count: number;
  bytes: number;
  newObjects: number;
  newBytes: number;
  readonly failed: { key: string; why: string }[];
}

/** SHA-256 of a file of the backup, read to its end. */
export async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Streams one object into the folder under a temporary name, fsyncs and renames it. Returns its SHA-256. */
async function fetchObject(store: ObjectStore, dir: string, object: ListedObject): Promise<string> {
  const path = place.object(dir, object.key);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.draft`;
  const hash = createHash('sha256');
  let bytes = 0;
  const measuring = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(
      await store.get(object.key),
      measuring,
      createWriteStream(draft, { mode: 0o600, flush: true }),
    );
    const sha256 = hash.digest('hex');
    if (bytes !== object.sizeBytes) throw new Error(`it has ${bytes} bytes instead of ${object.sizeBytes}`);
    if (object.sha256 !== null && object.sha256 !== sha256)
      throw new Error('its bytes are not those that were stored: run npm run check -- --full');
    await rename(draft, path);
    await syncFolder(dirname(path));
    return sha256;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Is there already, whole: keys are never reused, so a file of the right size is the object. */
async function isThere(dir: string, object: ListedObject): Promise<boolean> {
  const info = await stat(place.object(dir, object.key)).catch(nullWhenMissing);
  return info?.size === object.sizeBytes;
}

/**
 * Copies every listed object that the folder does not have yet, a few at a time. What cannot be copied is noted, and
 * the rest goes on. `isStillUsed` tells whether a missing object matters: rightly deleted ones do not.
 */
export async function copyDown(
  store: ObjectStore,
  dir: string,
  objects: AsyncIterable<ListedObject>,
  isStillUsed: (key: string) => Promise<boolean>,
  say: (text: string) => void,
): Promise<Copied> {
  const copied: Copied = { count: 0, bytes: 0, newObjects: 0, newBytes: 0, failed: [] };
  let sums: string[] = [];
  const flush = async () => {
    const lines = sums;
    sums = [];
    if (lines.length > 0) await appendFile(place.sums(dir), lines.join(''), { mode: 0o600, flush: true });
  };
  const one = async (object: ListedObject): Promise<void> => {
    if (!(await isThere(dir, object))) {
      try {
        const sha256 = await fetchObject(store, dir, object);
        sums.push(`${sha256}  ${join('objects', object.key)}\n`);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'ENOSPC' || code === 'EDQUOT') throw error;
        if (await isStillUsed(object.key))
          copied.failed.push({ key: object.key, why: (error as Error).message });
        return;
      }
      copied.newObjects++;
      copied.newBytes += object.sizeBytes;
      await failpoint('backup.object-copied');
    }
    copied.count++;
    copied.bytes += object.sizeBytes;
    say(`${copied.count} objects, ${(copied.bytes / 1e9).toFixed(2)} GB`);
  };
  await eachAtOnce(objects, AT_ONCE, async (object) => {
    await one(object);
    if (sums.length >= SYNC_EVERY) await flush();
  });
  await flush();
  return copied;
}

/** Runs `work` for every item, `limit` of them at a time. The first failure ends it. */
export async function eachAtOnce<T>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  let failure: unknown;
  const lane = async () => {
    for (;;) {
      // One at a time may ask an async generator; it queues the others.
      const next = await iterator.next();
      if (next.done || failure !== undefined) return;
      await work(next.value).catch((error) => {
        failure ??= error;
      });
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  if (failure !== undefined) throw failure;
}

/** Lines of the sums file: key to SHA-256. About 150 bytes of memory for each object. */
export async function readSums(dir: string): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  const file = await open(place.sums(dir)).catch(nullWhenMissing);
  if (file === null) return sums;
  for await (const line of file.readLines()) {
    const [, sha256, key] = /^([0-9a-f]{64}) {2}objects\/(.+)$/.exec(line) ?? [];
    if (sha256 && key) sums.set(key, sha256);
  }
  return sums;
}
