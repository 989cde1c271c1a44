import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sha256 } from '#lib/base/ids.ts';

export interface WeightsSource {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  open(signal: AbortSignal): Promise<Readable>;
}

export interface WeightsCache {
  /** The path of the file with this sha256, if it is here, and notes that it was used. */
  find(sha256: Sha256): Promise<string | null>;
  /**
   * The path of a read-only file with exactly these bytes, fetched and verified if it is not there. Two callers
   * for one file share one fetch. `onProgress` gets the bytes so far. Throws when the bytes are not the file's.
   */
  ensure(
    source: WeightsSource,
    onProgress: (doneBytes: number) => void,
    signal: AbortSignal,
  ): Promise<string>;
  /** Removes the longest unused files until the cache is within its bound; never one of `inUse`. */
  evict(inUse: ReadonlySet<string>): Promise<void>;
}

const STALE_PART_MS = 24 * 60 * 60 * 1000;

/** The fetched bytes are not those that the repo names: trying again cannot help. */
export class WeightsMismatch extends Error {}

/**
 * Weights of models on this node's disk, under their sha256, shared by all replicas and workers of the node. A
 * file appears only whole and verified (written aside, then renamed); its modification time is when it was last used.
 */
export async function createWeightsCache(dataDir: string, maxBytes: number): Promise<WeightsCache> {
  const dir = resolve(dataDir, 'cache', 'weights');
  await mkdir(dir, { recursive: true });
  const fetching = new Map<string, Promise<string>>();
  return {
    find: (sha256) => touch(join(dir, sha256)),
    async ensure(source, onProgress, signal) {
      const file = join(dir, source.sha256);
      if (await touch(file)) return file;
      const running = fetching.get(source.sha256);
      if (running) return running;
      const fetched = fetchInto(file, source, onProgress, signal).finally(() =>
        fetching.delete(source.sha256),
      );
      fetching.set(source.sha256, fetched);
      return fetched;
    },
    evict: (inUse) => evict(dir, maxBytes, inUse),
  };
}

/** Only whole files ever have this name. */
async function touch(file: string): Promise<string | null> {
  const now = new Date();
  try {
    await utimes(file, now, now);
    return file;
  } catch {
    return null;
  }
}

async function fetchInto(
  file: string,
  source: WeightsSource,
  onProgress: (doneBytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const part = `${file}.${randomBytes(6).toString('hex')}.part`;
  const hash = createHash('sha256');
  let done = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      done += chunk.length;
      onProgress(done);
      next(
        done > source.sizeBytes ? new WeightsMismatch('the file is longer than the repo says') : null,
        chunk,
      );
    },
  });
  try {
    const body = await source.open(signal);
    await pipeline(body, count, createWriteStream(part, { mode: 0o600, flush: true }), { signal });
    if (done !== source.sizeBytes || hash.digest('hex') !== source.sha256) {
      throw new WeightsMismatch('the bytes in the store are not those that the repo names');
    }
    await chmod(part, 0o444);
    await rename(part, file);
    return file;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function evict(dir: string, maxBytes: number, inUse: ReadonlySet<string>): Promise<void> {
  const names = await readdir(dir);
  const files = await Promise.all(
    names.map(async (name) => {
      const info = await stat(join(dir, name)).catch(() => null);
      return { name, sizeBytes: info?.size ?? 0, usedMs: info?.mtimeMs ?? 0 };
    }),
  );
  const stale = files.filter((f) => f.name.endsWith('.part') && Date.now() - f.usedMs > STALE_PART_MS);
  for (const { name } of stale) await rm(join(dir, name), { force: true });
  const whole = files.filter((f) => !f.name.endsWith('.part')).sort((a, b) => a.usedMs - b.usedMs);
  let total = whole.reduce((sum, f) => sum + f.sizeBytes, 0);
  for (const { name, sizeBytes } of whole) {
    if (total <= maxBytes) return;
    if (inUse.has(name)) continue;
    await rm(join(dir, name), { force: true });
    total -= sizeBytes;
  }
}
