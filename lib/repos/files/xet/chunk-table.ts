/**
 * The list of a xorb's chunks as kept in xorb.chunk_meta: 40 bytes each,
 * hash[32] | end of the chunk record in the stored xorb (u32) | end of the chunk in the raw bytes (u32).
 */
export const CHUNK_ROW_BYTES = 40;

/** Read-only view of packed rows; may be a slice of a xorb's table, then ends still count from the xorb's start. */
export type ChunkTable = Buffer;

/** How many chunks the table lists. */
export function chunkCount(table: ChunkTable): number {
  return table.length / CHUNK_ROW_BYTES;
}

/** Hash of chunk `index` (a view, not a copy). */
export function chunkHashAt(table: ChunkTable, index: number): Buffer {
  return table.subarray(index * CHUNK_ROW_BYTES, index * CHUNK_ROW_BYTES + 32);
}

/** Offset in the stored xorb just after chunk `index`; 0 for index -1. */
export function storedEnd(table: ChunkTable, index: number): number {
  return index < 0 ? 0 : table.readUInt32LE(index * CHUNK_ROW_BYTES + 32);
}

/** Offset in the raw bytes just after chunk `index`; 0 for index -1. */
export function rawEnd(table: ChunkTable, index: number): number {
  return index < 0 ? 0 : table.readUInt32LE(index * CHUNK_ROW_BYTES + 36);
}

/** Writes row `index`. */
export function writeChunkRow(
  table: Buffer,
  index: number,
  row: { hash: Uint8Array; storedEnd: number; rawEnd: number },
): void {
  table.set(row.hash, index * CHUNK_ROW_BYTES);
  table.writeUInt32LE(row.storedEnd, index * CHUNK_ROW_BYTES + 32);
  table.writeUInt32LE(row.rawEnd, index * CHUNK_ROW_BYTES + 36);
}
