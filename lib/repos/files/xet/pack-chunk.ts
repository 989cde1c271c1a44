import { compressFrameSync } from 'lz4-napi';
import { splitByteGroups } from './byte-grouping.ts';
import { MAX_CHUNK_BYTES, RECORD_HEADER_BYTES } from './chunk-records.ts';

const grouped = Buffer.allocUnsafeSlow(MAX_CHUNK_BYTES); // of this thread; used within one synchronous call only

/**
 * The record of a chunk as xorbs hold it: its bytes as they are, compressed, or compressed after their four byte columns
 * were set apart (what helps with numbers), whichever is smallest.
 */
export function packChunk(chunk: Buffer): Buffer {
  const plain = compressFrameSync(chunk);
  const columns = grouped.subarray(0, chunk.length);
  splitByteGroups(chunk, columns);
  const byColumns = compressFrameSync(columns);
  let [scheme, data] = [0, chunk];
  if (plain.length < data.length) [scheme, data] = [1, plain];
  if (byColumns.length < data.length) [scheme, data] = [2, byColumns];
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + data.length);
  record[0] = 0;
  record.writeUIntLE(data.length, 1, 3);
  record[4] = scheme;
  record.writeUIntLE(chunk.length, 5, 3);
  record.set(data, RECORD_HEADER_BYTES);
  return record;
}
