import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import { createWeightsCache, WeightsMismatch, type WeightsSource } from '#lib/endpoints/weights-cache.ts';

let dir: string;
const signal = new AbortController().signal;
const files = () => readdir(join(dir, 'cache', 'weights'));

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-weights-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function source(bytes: Buffer, served = bytes): WeightsSource & { opened: number } {
  const sha256 = createHash('sha256').update(bytes).digest('hex') as Sha256;
  return {
    sha256,
    sizeBytes: bytes.length,
    opened: 0,
    async open() {
      this.opened++;
      return Readable.from([served.subarray(0, 1000), served.subarray(1000)]);
    },
  };
}

describe('the weights cache', () => {
  it('fetches a file once for all who want it, gives exactly its bytes, read-only, and reports progress', async () => {
    const cache = await createWeightsCache(dir, 1e9);
    const bytes = randomBytes(100_000);
    const wanted = source(bytes);
    const seen: number[] = [];
    const paths = await Promise.all([
      cache.ensure(wanted, (done) => seen.push(done), signal),
      cache.ensure(wanted, () => {}, signal),
    ]);
    expect(paths[0]).toBe(paths[1]);
    expect(await cache.ensure(wanted, () => {}, signal)).toBe(paths[0]);
    expect(wanted.opened).toBe(1);
    expect(seen).toEqual([1000, 100_000]);
    expect((await readFile(paths[0] ?? '')).equals(bytes)).toBe(true);
    expect((await stat(paths[0] ?? '')).mode & 0o222).toBe(0);
    expect(await cache.find(wanted.sha256)).toBe(paths[0]);
  });

  it('P4: wrong, short or long bytes never become a file, and nothing is left of them', async () => {
    const cache = await createWeightsCache(dir, 1e9);
    const bytes = randomBytes(5_000);
    const wrong = Buffer.from(bytes);
    wrong[4_999] = (wrong[4_999] ?? 0) ^ 1;
    for (const served of [wrong, bytes.subarray(0, 4_000), Buffer.concat([bytes, bytes])]) {
      await expect(cache.ensure(source(bytes, served), () => {}, signal)).rejects.toThrow(WeightsMismatch);
      expect(await files()).toEqual([]);
    }
    expect(await cache.find(source(bytes).sha256)).toBeNull();
  });

  it('an aborted fetch leaves nothing behind', async () => {
    const cache = await createWeightsCache(dir, 1e9);
    const abort = new AbortController();
    const endless = source(randomBytes(10));
    endless.open = async () =>
      Readable.from(
        (async function* () {
          for (;;) {
            yield Buffer.alloc(0);
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        })(),
      );
    const fetching = cache.ensure(endless, () => {}, abort.signal);
    setTimeout(() => abort.abort(new Error('no longer wanted')), 50);
    await expect(fetching).rejects.toThrow();
    expect(await files()).toEqual([]);
  });

  it('keeps within its bound by removing what was longest unused, never what is in use', async () => {
    const cache = await createWeightsCache(dir, 2_500);
    const sources = Array.from({ length: 4 }, () => source(randomBytes(1_000)));
    for (const s of sources) {
      await cache.ensure(s, () => {}, signal);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [oldest, second, third, newest] = sources.map((s) => s.sha256 as string);
    await cache.find(second as Sha256); // used again: now the newest
    await cache.evict(new Set([oldest ?? '']));
    expect((await files()).sort()).toEqual([oldest, second].sort());
    expect(await files()).not.toContain(third);
    expect(await files()).not.toContain(newest);
  });
});
