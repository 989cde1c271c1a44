import type { Db, Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId, Sha256 } from '#lib/base/ids.ts';
import type { TreeLine } from './tree.ts';

/** A tree as listings need it: lines in git's order, found by name in constant time. */
export interface CachedTree {
  readonly lines: readonly TreeLine[];
  readonly byName: ReadonlyMap<string, TreeLine>;
}

/** What a listing says of a blob without reading it. */
export interface BlobFacts {
  readonly sizeBytes: number;
  readonly lfs: { readonly sha256: Sha256; readonly sizeBytes: number } | null;
}

/** Remembers values of a repo by a key; least recently used ones fall out when the stated bytes are exceeded. */
export class BoundedCache<V> {
  readonly #entries = new Map<string, { value: V; bytes: number }>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(repoId: RepoId | null, oid: string): V | undefined {
    const key = `${repoId}:${oid}`;
    const hit = this.#entries.get(key);
    if (hit === undefined) return undefined;
    if (this.#bytes * 2 > this.#maxBytes) {
      this.#entries.delete(key); // order matters only when something may have to go
      this.#entries.set(key, hit);
    }
    return hit.value;
  }

  set(repoId: RepoId | null, oid: string, value: V, bytes: number): void {
    const key = `${repoId}:${oid}`;
    if (bytes > this.#maxBytes / 8) return;
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}

/**
 * What one process remembers of immutable objects. Every key holds the repo's id, so a hit can never answer for
 * another repo; nothing here changes or needs to be forgotten. Bounds: 64 MiB of trees, 16 MiB of blob facts,
 * 8 MiB of commits, 8 MiB of histories.
 */
export interface OidCache {
  readonly trees: BoundedCache<CachedTree>;
  readonly blobs: BoundedCache<BlobFacts>;
  /** Commit -> its root tree. */
  readonly roots: BoundedCache<Oid>;
  /** Commit -> number of commits reachable from it. */
  readonly counts: BoundedCache<number>;
}

const MIB = 1024 * 1024;
const caches = new WeakMap<Queryable, OidCache>();

/** The cache that belongs to a pool: it lives and dies with it, so that two databases never share one. */
export function oidCache(db: Db): OidCache {
  let cache = caches.get(db);
  if (cache === undefined) {
    cache = {
      trees: new BoundedCache(64 * MIB),
      blobs: new BoundedCache(16 * MIB),
      roots: new BoundedCache(8 * MIB),
      counts: new BoundedCache(8 * MIB),
    };
    caches.set(db, cache);
  }
  return cache;
}
