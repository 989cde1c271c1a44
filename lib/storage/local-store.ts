import { mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import { exactLength } from './exact-length.ts';
import { createLocalMultipart } from './local-multipart.ts';
import { isMissing, syncDirectory, writeTemp } from './local-write.ts';
import { type ByteRange, type ObjectInfo, ObjectMissing, type ObjectStore } from './object-store.ts';
import { probeStore } from './probe-store.ts';

const ABANDONED_AFTER_MS = 24 * 3600_000;
const READ_CHUNK_BYTES = 1 << 20;

/**
 * Objects as files under `dir`: `objects/` by key, `tmp/` for what is being written, `multipart/` for parts.
 * A key appears only by rename of a complete, fsynced file, and the directory is fsynced too, so after a crash
 * an object is whole or absent. Temporary files that nobody wrote to for a day are swept here, at open.
 */
export async function createLocalStore(dir: string): Promise<ObjectStore> {
  const root = resolve(dir);
  const [objects, temp] = [join(root, 'objects'), join(root, 'tmp')];
  for (const path of [objects, temp]) await mkdir(path, { recursive: true, mode: 0o700 });
  await sweep(temp);
  const multipart = await createLocalMultipart(root, publish);

  /** Makes a complete, fsynced temporary file visible under `key`. */
  async function publish(tempPath: string, key: string): Promise<void> {
    const path = pathOf(objects, key);
    await makeDirectory(dirname(path), objects);
    await rename(tempPath, path);
    await syncDirectory(dirname(path));
  }

  const store: Omit<ObjectStore, 'probe'> = {
    kind: 'local',
    async put(key, body, options) {
      pathOf(objects, key);
      const tempPath = await writeTemp(temp, body, options);
      await publish(tempPath, key).catch(async (error) => {
        await rm(tempPath, { force: true });
        throw error;
      });
    },
    get: (key, options = {}) => read(pathOf(objects, key), key, options),
    async head(key) {
      const info = await stat(pathOf(objects, key)).catch(nullWhenMissing);
      return info?.isFile() ? { key, sizeBytes: info.size, lastModifiedMs: info.mtimeMs } : null;
    },
    async delete(keys) {
      // Not fsynced: an object that comes back after a crash is garbage, which the sweep of orphans finds.
      for (const key of keys) await unlink(pathOf(objects, key)).catch(nullWhenMissing);
    },
    list: (prefix) => walk(objects, prefix),
    signGet: async () => null,
    signPart: async () => null,
    ...multipart,
    close: async () => {},
  };
  return { ...store, probe: () => probeStore(store) };
}

/** Path of a key; refuses what could leave the folder, although keys are made by newObjectKey alone. */
function pathOf(objects: string, key: string): string {
  const segments = key.split('/');
  if (key.includes('\0') || segments.some((s) => s === '' || s === '.' || s === '..'))
    throw hubError('internal', 'internal error', { internal: `bad object key ${JSON.stringify(key)}` });
  return join(objects, ...segments);
}

/** mkdir -p with every new name made durable in its parent. */
async function makeDirectory(path: string, top: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let at = dirname(path); at.length >= dirname(made).length; at = dirname(at)) {
    await syncDirectory(at);
    if (at === top) return;
  }
}

async function read(
  path: string,
  key: string,
  options: { range?: ByteRange; signal?: AbortSignal },
): Promise<Readable> {
  options.signal?.throwIfAborted();
  const file = await open(path, 'r').catch((error) => {
    throw isMissing(error) ? new ObjectMissing(key) : error;
  });
  try {
    const { size } = await file.stat();
    const { start, end } = options.range ?? { start: 0, end: size - 1 };
    if (options.range && (start < 0 || end < start || end >= size))
      throw hubError('range_not_satisfiable', `bytes ${start}-${end} are not in an object of ${size} bytes`);
    const bytes = file.createReadStream({
      start,
      end: Math.max(end, start),
      highWaterMark: READ_CHUNK_BYTES,
    });
    return pipeline(bytes, exactLength(end - start + 1), () => {});
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Depth first from the deepest folder that the prefix names whole. */
async function* walk(objects: string, prefix: string): AsyncGenerator<ObjectInfo> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const entries = await readdir(join(objects, folder), { withFileTypes: true }).catch(nullWhenMissing);
  for (const entry of entries ?? []) {
    const key = folder + entry.name;
    if (!key.startsWith(prefix)) continue;
    if (entry.isDirectory()) yield* walk(objects, `${key}/`);
    else {
      const info = await stat(join(objects, key)).catch(nullWhenMissing);
      if (info) yield { key, sizeBytes: info.size, lastModifiedMs: info.mtimeMs };
    }
  }
}

async function sweep(temp: string): Promise<void> {
  for (const name of await readdir(temp)) {
    const path = join(temp, name);
    const info = await stat(path).catch(nullWhenMissing);
    if (info && Date.now() - info.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}

function nullWhenMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}
