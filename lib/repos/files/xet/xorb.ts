import { decodeChunk, MAX_CHUNK_BYTES, RECORD_HEADER_BYTES, readChunkRecord } from './chunk-records.ts';
import {
  CHUNK_ROW_BYTES,
  type ChunkTable,
  chunkCount,
  chunkHashAt,
  rawEnd,
  storedEnd,
  writeChunkRow,
} from './chunk-table.ts';
import { chunkHash, HASH_BYTES } from './hashes.ts';
import { XetInvalid } from './invalid.ts';
import { merkleRoot } from './merkle.ts';

/** Most chunks of one xorb. */
export const MAX_XORB_CHUNKS = 8192;
/** Most raw bytes of one xorb. */
export const MAX_XORB_RAW_BYTES = 64 * 1024 * 1024;
/** Most bytes of the footer that old clients append: 40 per chunk and some fixed fields. */
export const MAX_XORB_FOOTER_BYTES = 1024 + 40 * MAX_XORB_CHUNKS;
/** Most bytes of an uploaded xorb; data that does not compress outgrows the raw limit by its chunk headers. */
export const MAX_XORB_BODY_BYTES =
  MAX_XORB_RAW_BYTES + RECORD_HEADER_BYTES * MAX_XORB_CHUNKS + MAX_XORB_FOOTER_BYTES;

/** Where a run of chunk records lies in its xorb. */
export interface RunOrigin {
  readonly storedStart: number;
  readonly rawStart: number;
}

/**
 * Decodes and hashes the whole chunk records in `piece`; returns their rows. Throws XetInvalid. Costs up to 3 ms of
 * one core per MiB: run it in a worker thread.
 */
export function hashChunkRecords(piece: Buffer, origin: RunOrigin): ChunkTable {
  const rows: Buffer[] = [];
  const scratch = Buffer.allocUnsafe(MAX_CHUNK_BYTES);
  let raw = origin.rawStart;
  for (let at = 0; at < piece.length; ) {
    const record = readChunkRecord(piece, at);
    let bytes = piece.subarray(record.dataStart, record.dataEnd);
    if (record.scheme !== 'none') {
      bytes = scratch.subarray(0, record.rawBytes);
      decodeChunk(piece, record, bytes);
    }
    raw += record.rawBytes;
    const row = Buffer.allocUnsafe(CHUNK_ROW_BYTES);
    writeChunkRow(row, 0, {
      hash: chunkHash(bytes),
      storedEnd: origin.storedStart + record.dataEnd,
      rawEnd: raw,
    });
    rows.push(row);
    at = record.dataEnd;
  }
  return Buffer.concat(rows);
}

/** Hash of the xorb that a complete table describes. */
export function xorbHash(table: ChunkTable): Buffer {
  const count = chunkCount(table);
  const hashes = Buffer.allocUnsafe(count * HASH_BYTES);
  const sizes = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    hashes.set(chunkHashAt(table, i), i * HASH_BYTES);
    sizes[i] = rawEnd(table, i) - rawEnd(table, i - 1);
  }
  return merkleRoot({ hashes, sizes });
}

/**
 * Decodes stored chunk records that our own table describes: `stored` holds exactly the records of `rows`, which lie
 * at `origin` in their xorb; `out` has room for exactly their raw bytes. Every chunk is hashed again, so that a
 * damaged object is an error (XetInvalid) and never wrong bytes.
 */
export function decodeChunkRecords(stored: Buffer, rows: ChunkTable, origin: RunOrigin, out: Buffer): void {
  const count = chunkCount(rows);
  let at = 0;
  let filled = 0;
  for (let i = 0; i < count; i++) {
    const record = readChunkRecord(stored, at);
    const rawStop = rawEnd(rows, i) - origin.rawStart;
    if (record.dataEnd !== storedEnd(rows, i) - origin.storedStart || filled + record.rawBytes !== rawStop)
      throw new XetInvalid('a stored xorb differs from its chunk list');
    const chunk = out.subarray(filled, rawStop);
    decodeChunk(stored, record, chunk);
    if (!chunkHash(chunk).equals(chunkHashAt(rows, i)))
      throw new XetInvalid('a stored chunk differs from its hash');
    filled = rawStop;
    at = record.dataEnd;
  }
}
