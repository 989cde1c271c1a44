import type { App } from '#lib/identity/context.ts';
import { type IndexedChunk, isAskedFor } from './chunk-index.ts';
import { type ChunkTable, chunkCount, chunkHashAt, rawEnd } from './chunk-table.ts';
import { chunkTables, fileKey, liveXorbs, type XorbRow } from './db.ts';
import { HASH_BYTES, hashText } from './hashes.ts';
import { XetInvalid } from './invalid.ts';
import type { CheckedFile } from './register-files.ts';
import {
  parseShard,
  type Shard,
  type ShardFile,
  type ShardXorb,
  shardChunkBytes,
  shardChunkHash,
} from './shard.ts';
import { workerPool } from './worker-pool.ts';

/** Most chunks of one file (256 GB at the usual 64 KiB), and of all files of a shard. */
const MAX_FILE_CHUNKS = 4_000_000;
const MAX_SHARD_CHUNKS = 8_000_000;
const HASHES_PER_QUERY = 1_000;
const TABLES_PER_QUERY = 32;

type KnownXorbs = ReadonlyMap<string, XorbRow>;

async function findXorbs(app: App, domainId: number, shard: Shard): Promise<KnownXorbs> {
  const hashes = new Map<string, Buffer>();
  for (const xorb of shard.xorbs) hashes.set(xorb.hash.toString('hex'), xorb.hash);
  for (const file of shard.files)
    for (const term of file.terms) hashes.set(term.xorbHash.toString('hex'), term.xorbHash);
  const known = new Map<string, XorbRow>();
  const list = [...hashes.values()];
  for (let at = 0; at < list.length; at += HASHES_PER_QUERY)
    for (const row of await liveXorbs(app.db, domainId, list.slice(at, at + HASHES_PER_QUERY)))
      known.set(row.hash.toString('hex'), row);
  return known;
}

function xorbOf(known: KnownXorbs, hash: Buffer): XorbRow {
  const row = known.get(hash.toString('hex'));
  if (row === undefined)
    throw new XetInvalid(`xorb ${hashText(hash)} is not here: upload it before the shard`);
  return row;
}

/** Chunk tables in the order in which they are needed, a few at a time in memory. */
class TableWindow {
  readonly #app: App;
  readonly #ids: readonly number[];
  #at = 0;
  #tables = new Map<number, ChunkTable>();

  constructor(app: App, ids: readonly number[]) {
    this.#app = app;
    this.#ids = ids;
  }

  /** The table of the next id. */
  async next(): Promise<ChunkTable> {
    const id = this.#ids[this.#at] as number;
    if (!this.#tables.has(id)) await this.#load();
    this.#at++;
    return this.#tables.get(id) as ChunkTable;
  }

  async #load(): Promise<void> {
    const ids = new Set<number>();
    for (let i = this.#at; i < this.#ids.length && ids.size < TABLES_PER_QUERY; i++)
      ids.add(this.#ids[i] as number);
    this.#tables = await chunkTables(this.#app.db, [...ids]);
  }
}

function checkXorbBlock(block: ShardXorb, table: ChunkTable): void {
  let same = block.chunkCount === chunkCount(table);
  for (let i = 0; same && i < block.chunkCount; i++)
    same =
      shardChunkHash(block, i).equals(chunkHashAt(table, i)) &&
      shardChunkBytes(block, i) === rawEnd(table, i) - rawEnd(table, i - 1);
  if (!same)
    throw new XetInvalid(
      `xorb ${hashText(block.hash)}: the shard's chunk list differs from what was uploaded`,
    );
}

/** Bounds that need no chunk list; returns the number of chunks. */
function checkTermRanges(file: ShardFile, known: KnownXorbs): number {
  let chunks = 0;
  for (const [i, term] of file.terms.entries()) {
    const xorb = xorbOf(known, term.xorbHash);
    if (term.start >= term.end || term.end > xorb.chunkCount)
      throw new XetInvalid(
        `file ${hashText(file.hash)}, term ${i}: chunks ${term.start} to ${term.end} are not in a xorb of ${xorb.chunkCount}`,
      );
    chunks += term.end - term.start;
  }
  if (chunks > MAX_FILE_CHUNKS)
    throw new XetInvalid(`file ${hashText(file.hash)} has ${chunks} chunks, allowed are ${MAX_FILE_CHUNKS}`);
  return chunks;
}

/** Compares lengths, proofs and the file hash with what the stored chunks say. */
async function checkFile(
  app: App,
  file: ShardFile,
  known: KnownXorbs,
  tables: TableWindow,
): Promise<CheckedFile> {
  const name = hashText(file.hash);
  const total = checkTermRanges(file, known);
  const hashes = Buffer.allocUnsafeSlow(total * HASH_BYTES);
  const sizes = new Uint32Array(total);
  const termChunkCounts = Uint32Array.from(file.terms, (t) => t.end - t.start);
  // A flag with which a shard may offer more chunks is not heeded: nobody sets it, and it would let one fill the index.
  const asked: IndexedChunk[] = [];
  let n = 0;
  let sizeBytes = 0;
  for (const [i, term] of file.terms.entries()) {
    const table = await tables.next();
    const rawBytes = rawEnd(table, term.end - 1) - rawEnd(table, term.start - 1);
    if (rawBytes !== term.rawBytes)
      throw new XetInvalid(
        `file ${name}, term ${i}: it has ${rawBytes} bytes, the shard says ${term.rawBytes}`,
      );
    sizeBytes += rawBytes;
    for (let c = term.start; c < term.end; c++, n++) {
      const hash = chunkHashAt(table, c);
      if (n === 0 || isAskedFor(hash))
        asked.push({ hash: Buffer.from(hash), xorbId: xorbOf(known, term.xorbHash).id });
      hashes.set(hash, n * HASH_BYTES);
      sizes[n] = rawEnd(table, c) - rawEnd(table, c - 1);
    }
  }
  const input = { hashes, sizes, termChunkCounts };
  const result = await workerPool(app).run('hashFile', input, [hashes.buffer, sizes.buffer]);
  for (const [i, term] of file.terms.entries())
    if (!term.rangeHash.equals(result.rangeHashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)))
      throw new XetInvalid(`file ${name}, term ${i}: the verification hash does not match its chunks`);
  if (!file.hash.equals(result.fileHash))
    throw new XetInvalid(`file ${name}: its chunks hash to another file id`);
  const terms = file.terms.map(({ xorbHash, start, end, rawBytes }) => {
    return { xorbId: xorbOf(known, xorbHash).id, start, end, rawBytes };
  });
  return { hash: file.hash, sha256: file.sha256, sizeBytes, terms, asked };
}

/**
 * Parses a shard and checks every claim in it against the chunk lists that we computed ourselves: xorb blocks, term
 * ranges, proofs that the uploader knows the chunks, file ids. Returns each distinct file once. Throws XetInvalid.
 * Writes nothing.
 */
export async function checkShard(app: App, domainId: number, body: Buffer): Promise<CheckedFile[]> {
  const shard = parseShard(body);
  const known = await findXorbs(app, domainId, shard);
  const blocks = new TableWindow(
    app,
    shard.xorbs.map((block) => xorbOf(known, block.hash).id),
  );
  for (const block of shard.xorbs) checkXorbBlock(block, await blocks.next());
  const chunks = shard.files.reduce((sum, file) => sum + checkTermRanges(file, known), 0);
  if (chunks > MAX_SHARD_CHUNKS)
    throw new XetInvalid(`the files of the shard have ${chunks} chunks, allowed are ${MAX_SHARD_CHUNKS}`);
  const tables = new TableWindow(
    app,
    shard.files.flatMap((file) => file.terms.map((term) => xorbOf(known, term.xorbHash).id)),
  );
  const files = new Map<string, CheckedFile>();
  for (const file of shard.files)
    files.set(fileKey(file.hash, file.sha256), await checkFile(app, file, known, tables));
  return [...files.values()];
}
