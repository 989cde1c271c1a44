import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { findIndexedXorbs, isAskedFor, type NearXorb, xorbsNear } from './chunk-index.ts';
import { chunkCount, chunkHashAt } from './chunk-table.ts';
import { chunkTables } from './db.ts';
import { newestXorbs } from './newest-xorbs.ts';

/** A chunk of a stored xorb. */
export interface ChunkPlace {
  readonly xorbId: number;
  readonly index: number;
}

/** About 150 bytes each. */
const MAX_CHUNKS = 300_000;
const XORBS_AT_ONCE = 32;

/**
 * Chunks that a domain has, found as clients find them: by the first chunk of a file and one in 1,024, each of which
 * brings all that stands around it, or when the first is new, what the newest files consist of. Remembers 300,000 chunks
 * (20 GB); beyond that it begins anew.
 */
export class KnownChunks {
  readonly #app: Pick<App, 'db'>;
  readonly #place: { readonly domainId: number; readonly repoId: RepoId };
  readonly #places = new Map<string, ChunkPlace>();
  readonly #asked = new Set<string>();

  constructor(app: Pick<App, 'db'>, place: { readonly domainId: number; readonly repoId: RepoId }) {
    this.#app = app;
    this.#place = place;
  }

  /** Where the chunk is; undefined when it is not known. `isFirst` of a file: it is asked for in any case. */
  async find(hash: Buffer, isFirst: boolean): Promise<ChunkPlace | undefined> {
    const key = hash.toString('latin1');
    const known = this.#places.get(key);
    if (known !== undefined || !(isFirst || isAskedFor(hash)) || this.#asked.has(key)) return known;
    this.#asked.add(key);
    const { db } = this.#app;
    const [xorbId] = await findIndexedXorbs(db, this.#place.domainId, [hash]);
    if (xorbId !== undefined) await this.#load(await xorbsNear(db, this.#place.domainId, xorbId));
    else if (isFirst) await this.#load(await newestXorbs(db, this.#place));
    return this.#places.get(key);
  }

  /** Remembers a chunk that was just stored. */
  add(hash: Buffer, place: ChunkPlace): void {
    if (this.#places.size >= MAX_CHUNKS) this.#forget();
    this.#places.set(hash.toString('latin1'), place);
  }

  #forget(): void {
    this.#places.clear();
    this.#asked.clear();
  }

  async #load(near: readonly NearXorb[]): Promise<void> {
    const ids: number[] = [];
    let chunks = 0;
    for (const xorb of near) {
      chunks += xorb.chunkCount;
      if (chunks > MAX_CHUNKS / 2 && ids.length > 0) break;
      ids.push(xorb.id);
    }
    if (this.#places.size + Math.min(chunks, MAX_CHUNKS / 2) > MAX_CHUNKS) this.#forget();
    for (let at = 0; at < ids.length; at += XORBS_AT_ONCE)
      for (const [id, table] of await chunkTables(this.#app.db, ids.slice(at, at + XORBS_AT_ONCE)))
        for (let i = 0; i < chunkCount(table); i++) {
          const key = chunkHashAt(table, i).toString('latin1');
          if (!this.#places.has(key)) this.#places.set(key, { xorbId: id, index: i });
        }
  }
}
