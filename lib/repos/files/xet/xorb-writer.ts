import { Readable } from 'node:stream';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { CHUNK_ROW_BYTES, writeChunkRow } from './chunk-table.ts';
import { liveXorbs, pinXorbs } from './db.ts';
import { storeXorb } from './put-xorb.ts';
import { workerPool } from './worker-pool.ts';
import { MAX_XORB_CHUNKS, MAX_XORB_RAW_BYTES } from './xorb.ts';

/** A chunk that is to be stored. */
export interface NewChunk {
  readonly hash: Buffer;
  readonly record: Buffer;
  readonly rawBytes: number;
}

/**
 * Gathers chunks into xorbs and stores each through the same checks as one that a client sends. Holds one xorb in memory
 * (64 MiB at most).
 */
export class XorbWriter {
  readonly #app: App;
  readonly #place: { readonly domainId: number; readonly repoId: RepoId };
  readonly #signal: AbortSignal;
  #chunks: NewChunk[] = [];
  #rawBytes = 0;

  constructor(app: App, place: { domainId: number; repoId: RepoId }, signal: AbortSignal) {
    this.#app = app;
    this.#place = place;
    this.#signal = signal;
  }

  /** Whether the chunk still fits into the xorb that is being gathered. */
  hasRoomFor(chunk: NewChunk): boolean {
    return this.#chunks.length < MAX_XORB_CHUNKS && this.#rawBytes + chunk.rawBytes <= MAX_XORB_RAW_BYTES;
  }

  /** Adds a chunk; returns its number in the xorb. */
  add(chunk: NewChunk): number {
    this.#rawBytes += chunk.rawBytes;
    return this.#chunks.push(chunk) - 1;
  }

  /** Stores what was gathered; returns the id of the xorb, or null when there is nothing. */
  async flush(): Promise<number | null> {
    const chunks = this.#chunks;
    if (chunks.length === 0) return null;
    this.#chunks = [];
    this.#rawBytes = 0;
    const hash = await this.#hashOf(chunks);
    const find = async () => (await liveXorbs(this.#app.db, this.#place.domainId, [hash]))[0]?.id;
    const known = await find(); // of an earlier attempt
    if (known !== undefined && (await pinXorbs(this.#app.db, [known])) === 1) return known;
    const records = chunks.map(({ record }) => record);
    const sizeBytes = records.reduce((sum, record) => sum + record.length, 0);
    const body = Readable.from(records, { objectMode: false });
    await storeXorb(
      this.#app,
      this.#place,
      { hashBytes: hash, body, sizeBytes, lostKey: null },
      this.#signal,
    );
    const id = await find();
    if (id === undefined) throw new Error('a xorb is gone as soon as it was stored');
    return id;
  }

  async #hashOf(chunks: readonly NewChunk[]): Promise<Buffer> {
    const table = Buffer.allocUnsafeSlow(chunks.length * CHUNK_ROW_BYTES);
    let storedEnd = 0;
    let rawEnd = 0;
    for (const [i, { hash, record, rawBytes }] of chunks.entries()) {
      storedEnd += record.length;
      rawEnd += rawBytes;
      writeChunkRow(table, i, { hash, storedEnd, rawEnd });
    }
    const { hash } = await workerPool(this.#app).run('hashXorb', { table });
    return Buffer.from(hash);
  }
}
