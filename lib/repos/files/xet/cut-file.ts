import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { type IndexedChunk, isAskedFor } from './chunk-index.ts';
import { HASH_BYTES } from './hashes.ts';
import { type ChunkPlace, KnownChunks } from './known-chunks.ts';
import type { CheckedFile } from './register-files.ts';
import { termsOf } from './terms.ts';
import { workerPool } from './worker-pool.ts';
import { type NewChunk, XorbWriter } from './xorb-writer.ts';

const PIECE_BYTES = 8 * 1024 * 1024;

interface Placed {
  readonly hash: Buffer;
  readonly rawBytes: number;
  readonly place: ChunkPlace;
}

/** The id that stands for the xorb that is not stored yet. */
const GATHERED = -1;

async function* pieces(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of source) {
    parts.push(part);
    bytes += part.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(parts);
}

/** Cuts one file and places its chunks. */
class Cutter {
  readonly chunks: Placed[] = [];
  readonly #app: App;
  readonly #known: KnownChunks;
  readonly #writer: XorbWriter;
  /** Places in the xorb that is being gathered: they learn its id when it is stored. */
  #gathered: { xorbId: number; index: number }[] = [];

  constructor(app: App, place: { domainId: number; repoId: RepoId }, signal: AbortSignal) {
    this.#app = app;
    this.#known = new KnownChunks(app, place);
    this.#writer = new XorbWriter(app, place, signal);
  }

  /** Places the whole chunks at the start of `bytes`; returns what is left. */
  async take(bytes: Buffer, isLast: boolean): Promise<Buffer> {
    const piece = new Uint8Array(bytes); // of its own, to be given away
    const pool = workerPool(this.#app);
    const cut = await pool.run('cutChunks', { piece, isLast }, [piece.buffer]);
    const ends = [...cut.ends];
    const fresh: { start: number; end: number; hash: Buffer }[] = [];
    const order: (Placed | { start: number })[] = [];
    for (const [i, end] of ends.entries()) {
      const start = i === 0 ? 0 : (ends[i - 1] as number);
      const hash = Buffer.from(cut.hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
      const isFirst = this.chunks.length === 0 && i === 0;
      const place = await this.#known.find(hash, isFirst);
      if (place !== undefined) order.push({ hash, rawBytes: end - start, place });
      else {
        fresh.push({ start, end, hash });
        order.push({ start });
      }
    }
    const left = Buffer.from(cut.piece.subarray(ends.at(-1) ?? 0));
    const ranges = Uint32Array.from(fresh.flatMap(({ start, end }) => [start, end]));
    const packed = await pool.run('packChunks', { piece: cut.piece, ranges }, [
      cut.piece.buffer as ArrayBuffer,
    ]);
    const newChunks = new Map<number, NewChunk>();
    let at = 0;
    for (const [i, { start, end, hash }] of fresh.entries()) {
      const length = packed.lengths[i] as number;
      const record = Buffer.from(packed.records.buffer, packed.records.byteOffset + at, length);
      newChunks.set(start, { hash, record, rawBytes: end - start });
      at += length;
    }
    for (const item of order)
      if ('place' in item) this.chunks.push(item);
      else await this.#store(newChunks.get(item.start) as NewChunk);
    return left;
  }

  async #store(chunk: NewChunk): Promise<void> {
    const again = await this.#known.find(chunk.hash, false); // it came twice in this piece
    if (again !== undefined) {
      this.chunks.push({ hash: chunk.hash, rawBytes: chunk.rawBytes, place: again });
      return;
    }
    if (!this.#writer.hasRoomFor(chunk)) await this.flush();
    const place = { xorbId: GATHERED, index: this.#writer.add(chunk) };
    this.#gathered.push(place);
    this.#known.add(chunk.hash, place);
    this.chunks.push({ hash: chunk.hash, rawBytes: chunk.rawBytes, place });
  }

  /** Stores the xorb that is being gathered and gives its chunks their place. */
  async flush(): Promise<void> {
    const xorbId = await this.#writer.flush();
    if (xorbId === null) return;
    for (const place of this.#gathered) place.xorbId = xorbId;
    this.#gathered = [];
  }
}

/**
 * Cuts a file into chunks as clients do, stores those that the domain does not have, and returns the file as terms over
 * stored xorbs with its SHA-256. Nothing refers to the xorbs yet: until the file is registered they are garbage that is
 * swept when their pin ends; the same file again finds them again. Memory: a xorb, three pieces of 8 MiB, some 300 bytes
 * per chunk.
 */
export async function cutFile(
  app: App,
  place: { domainId: number; repoId: RepoId },
  source: Readable,
  signal: AbortSignal,
): Promise<CheckedFile> {
  const cutter = new Cutter(app, place, signal);
  const sha256 = createHash('sha256');
  let left: Buffer = Buffer.alloc(0);
  let sizeBytes = 0;
  for await (const piece of pieces(source)) {
    signal.throwIfAborted();
    sha256.update(piece);
    sizeBytes += piece.length;
    left = await cutter.take(Buffer.concat([left, piece]), false);
  }
  while (left.length > 0) left = await cutter.take(left, true);
  await cutter.flush();
  const { chunks } = cutter;
  const terms = termsOf(chunks.map(({ place, rawBytes }) => ({ ...place, rawBytes })));
  const input = {
    hashes: Buffer.concat(chunks.map((chunk) => chunk.hash)),
    sizes: Uint32Array.from(chunks, (chunk) => chunk.rawBytes),
    termChunkCounts: Uint32Array.from(terms, (term) => term.end - term.start),
  };
  const { fileHash } = await workerPool(app).run('hashFile', input);
  const asked = chunks
    .filter(({ hash }, i) => i === 0 || isAskedFor(hash))
    .map(({ hash, place: { xorbId } }): IndexedChunk => ({ hash, xorbId }));
  return { hash: Buffer.from(fileHash), sha256: sha256.digest('hex') as Sha256, sizeBytes, terms, asked };
}
