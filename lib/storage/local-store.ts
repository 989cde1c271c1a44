import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { asStorageFull } from '#lib/base/disk-full.ts';
import { hubError } from '#lib/base/errors.ts';
import { createLocalMultipart } from './local-multipart.ts';
import { deleteObject, fillFromObject, PARTS_SUFFIX, readObject, statObject } from './local-object.ts';
import { nullWhenMissing, syncDirectory, writeTemp } from './local-write.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';
import { readableOf } from './pieces.ts';
import { probeStore } from './probe-store.ts';

const ABANDONED_AFTER_MS = 24 * 3600_000;
/** Longer than any upload link lives: what is older was begun and never recorded. */
const ABANDONED_UPLOAD_AFTER_MS = 8 * ABANDONED_AFTER_MS;

/**
 * Objects as files under `dir`: `objects/` by key, `tmp/` for what is being written, `multipart/` for parts.
 * A key appears only by rename of something complete and fsynced (a file, or the folder of a multipart upload),
 * and the directory is fsynced too, so after a crash an object is whole or absent. Temporary files that nobody
 * wrote to for a day, and uploads for eight days, are swept here, at open.
 */
export async function createLocalStore(dir: string): Promise<ObjectStore> {
  const root = resolve(dir);
  const [objects, temp] = [join(root, 'objects'), join(root, 'tmp')];
  for (const path of [objects, temp]) await mkdir(path, { recursive: true, mode: 0o700 });
  const multipart = await createLocalMultipart({
    uploads: join(root, 'multipart'),
    temp,
    publish: (folder, key) => publish(folder, pathOf(objects, key) + PARTS_SUFFIX),
    exists: async (key) => (await statObject(pathOf(objects, key))) !== null,
  });
  await sweep(temp, ABANDONED_AFTER_MS);
  await sweep(join(root, 'multipart'), ABANDONED_UPLOAD_AFTER_MS);

  /** Makes something complete and fsynced visible under its final name. */
  async function publish(from: string, path: string): Promise<void> {
    await makeDirectory(dirname(path), objects);
    await rename(from, path);
    await syncDirectory(dirname(path));
  }

  const store: Omit<ObjectStore, 'probe'> = {
    kind: 'local',
    minPartBytes: 1,
    hasUniqueEtags: true,
    async put(key, body, options) {
      const path = pathOf(objects, key);
      const tempPath = await writeTemp(temp, body, options);
      await publish(tempPath, path).catch(async (error) => {
        await rm(tempPath, { force: true });
        throw asStorageFull(error) ?? error;
      });
    },
    get: async (key, options = {}) =>
      readableOf(await readObject(pathOf(objects, key), key, options), options.signal),
    pieces: (key, options = {}) => readObject(pathOf(objects, key), key, options),
    fill: (key, start, target, signal) => fillFromObject(pathOf(objects, key), key, start, target, signal),
    async head(key) {
      const info = await statObject(pathOf(objects, key));
      return info && { key, ...info };
    },
    async delete(keys) {
      // Not fsynced: an object that comes back after a crash is garbage, which the sweep of orphans finds.
      for (const key of keys) await deleteObject(pathOf(objects, key), temp);
    },
    list: (prefix) => walk(objects, prefix),
    signGet: async () => null,
    signPart: async () => null,
    ...multipart,
    close: async () => {},
  };
  return { ...store, probe: () => probeStore(store) };
}

const cannotBeName = (s: string) => s === '' || s === '.' || s === '..' || s.endsWith(PARTS_SUFFIX);

/** Path of a key; refuses what could leave the folder, although keys are made by newObjectKey alone. */
function pathOf(objects: string, key: string): string {
  const segments = key.split('/');
  if (key.includes('\0') || segments.some(cannotBeName))
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

/** Depth first from the deepest folder that the prefix names whole. */
async function* walk(objects: string, prefix: string): AsyncGenerator<ObjectInfo> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const entries = await readdir(join(objects, folder), { withFileTypes: true }).catch(nullWhenMissing);
  for (const entry of entries ?? []) {
    const inParts = entry.name.endsWith(PARTS_SUFFIX);
    const key = folder + (inParts ? entry.name.slice(0, -PARTS_SUFFIX.length) : entry.name);
    if (!key.startsWith(prefix)) continue;
    if (entry.isDirectory() && !inParts) yield* walk(objects, `${key}/`);
    else {
      const info = await statObject(join(objects, key));
      if (info) yield { key, ...info };
    }
  }
}

async function sweep(temp: string, olderThanMs: number): Promise<void> {
  for (const name of await readdir(temp)) {
    const path = join(temp, name);
    const info = await stat(path).catch(nullWhenMissing);
    if (info && Date.now() - info.mtimeMs > olderThanMs) await rm(path, { recursive: true, force: true });
  }
}
