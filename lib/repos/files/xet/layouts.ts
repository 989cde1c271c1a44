import type { App } from '#lib/identity/context.ts';
import { CHUNK_ROW_BYTES, chunkCount } from './chunk-table.ts';
import { chunkTables } from './db.ts';
import type { XorbLayout } from './plan-reconstruction.ts';

const MAX_CACHED_CHUNKS = 4_000_000; // 8 bytes each: 32 MB, the layouts of about 250 GB
const XORBS_PER_QUERY = 32;

interface Cache {
  readonly layouts: Map<number, XorbLayout>;
  chunks: number;
}

const caches = new WeakMap<object, Cache>();

function cacheOf(app: Pick<App, 'db'>): Cache {
  let cache = caches.get(app.db);
  if (cache === undefined) caches.set(app.db, (cache = { layouts: new Map(), chunks: 0 }));
  return cache;
}

function layoutOf(table: Buffer): XorbLayout {
  const count = chunkCount(table);
  const storedEnds = new Uint32Array(count);
  const rawEnds = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    storedEnds[i] = table.readUInt32LE(i * CHUNK_ROW_BYTES + 32);
    rawEnds[i] = table.readUInt32LE(i * CHUNK_ROW_BYTES + 36);
  }
  return { chunkCount: count, storedEnds, rawEnds };
}

/** Layouts by xorb id. They never change, so the least recently used of them stay in memory (32 MB per process). */
export async function loadLayouts(
  app: Pick<App, 'db'>,
  ids: readonly number[],
): Promise<Map<number, XorbLayout>> {
  const cache = cacheOf(app);
  const found = new Map<number, XorbLayout>();
  const missing: number[] = [];
  for (const id of ids) {
    const layout = cache.layouts.get(id);
    if (layout === undefined) missing.push(id);
    else {
      found.set(id, layout);
      cache.layouts.delete(id); // to the young end
      cache.layouts.set(id, layout);
    }
  }
  for (let at = 0; at < missing.length; at += XORBS_PER_QUERY)
    for (const [id, table] of await chunkTables(app.db, missing.slice(at, at + XORBS_PER_QUERY))) {
      const layout = layoutOf(table);
      found.set(id, layout);
      if (!cache.layouts.has(id)) cache.chunks += layout.chunkCount;
      cache.layouts.set(id, layout);
    }
  for (const [id, layout] of cache.layouts) {
    if (cache.chunks <= MAX_CACHED_CHUNKS) break;
    cache.layouts.delete(id);
    cache.chunks -= layout.chunkCount;
  }
  return found;
}
