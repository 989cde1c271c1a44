import type { ChunkTable } from './chunk-table.ts';
import { cutChunks } from './cut-chunks.ts';
import { xorbBlock } from './dedup-shard.ts';
import { chunkHash, HASH_BYTES, rangeHash } from './hashes.ts';
import { fileHash } from './merkle.ts';
import { packChunk } from './pack-chunk.ts';
import { decodeChunkRecords, hashChunkRecords, type RunOrigin, xorbHash } from './xorb.ts';

/** What the verification threads can do; each entry is a pure function of bytes. Buffers go there and back by transfer. */
export interface WorkerTasks {
  /** Rows of the chunk records in a piece of an uploaded xorb; the piece comes back. */
  hashRecords: {
    input: { piece: Uint8Array; origin: RunOrigin };
    output: { piece: Uint8Array; rows: Uint8Array };
  };
  /** Hash of a xorb from its complete table. */
  hashXorb: { input: { table: Uint8Array }; output: { hash: Uint8Array } };
  /** File id over all chunks, and one range hash per term. */
  hashFile: {
    input: { hashes: Uint8Array; sizes: Uint32Array; termChunkCounts: Uint32Array };
    output: { fileHash: Uint8Array; rangeHashes: Uint8Array };
  };
  /** Fills `raw` with the bytes of stored records, checked against their rows; both buffers come back. */
  decodeRecords: {
    input: { stored: Uint8Array; rows: Uint8Array; origin: RunOrigin; raw: Uint8Array };
    output: { stored: Uint8Array; raw: Uint8Array };
  };
  /** Ends and hashes of the whole chunks at the start of `piece`, which comes back. */
  cutChunks: {
    input: { piece: Uint8Array; isLast: boolean };
    output: { piece: Uint8Array; ends: Uint32Array; hashes: Uint8Array };
  };
  /** Records of the chunks of `piece` at the pairs of offsets in `ranges`, end to end, with the length of each. */
  packChunks: {
    input: { piece: Uint8Array; ranges: Uint32Array };
    output: { records: Uint8Array; lengths: Uint32Array };
  };
  /** A xorb's block in a shard, with its chunk hashes masked. */
  maskXorb: {
    input: { xorb: { hash: Uint8Array; storedBytes: number; table: Uint8Array }; key: Uint8Array };
    output: { block: Uint8Array };
  };
}

export type TaskName = keyof WorkerTasks;

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const asTable = (bytes: Uint8Array): ChunkTable => asBuffer(bytes);

/** The functions behind the tasks, by name. */
export const taskFunctions: {
  [K in TaskName]: (input: WorkerTasks[K]['input']) => WorkerTasks[K]['output'];
} = {
  hashRecords: ({ piece, origin }) => ({ piece, rows: hashChunkRecords(asBuffer(piece), origin) }),
  hashXorb: ({ table }) => ({ hash: xorbHash(asTable(table)) }),
  hashFile: ({ hashes, sizes, termChunkCounts }) => {
    const rangeHashes = Buffer.allocUnsafe(termChunkCounts.length * HASH_BYTES);
    let at = 0;
    termChunkCounts.forEach((count, i) => {
      const end = at + count * HASH_BYTES;
      rangeHashes.set(rangeHash(hashes.subarray(at, end)), i * HASH_BYTES);
      at = end;
    });
    return { fileHash: fileHash({ hashes, sizes }), rangeHashes };
  },
  decodeRecords: ({ stored, rows, origin, raw }) => {
    decodeChunkRecords(asBuffer(stored), asTable(rows), origin, asBuffer(raw));
    return { stored, raw };
  },
  cutChunks: ({ piece, isLast }) => {
    const ends = cutChunks(piece, isLast);
    const hashes = ends.map((end, i) => chunkHash(piece.subarray(i === 0 ? 0 : ends[i - 1], end)));
    return { piece, ends: Uint32Array.from(ends), hashes: Buffer.concat(hashes) };
  },
  packChunks: ({ piece, ranges }) => {
    const bytes = asBuffer(piece);
    const records: Buffer[] = [];
    for (let i = 0; i < ranges.length; i += 2)
      records.push(packChunk(bytes.subarray(ranges[i], ranges[i + 1])));
    return { records: Buffer.concat(records), lengths: Uint32Array.from(records, (r) => r.length) };
  },
  maskXorb: ({ xorb, key }) => ({
    block: xorbBlock({ ...xorb, table: asTable(xorb.table) }, asBuffer(key)),
  }),
};
