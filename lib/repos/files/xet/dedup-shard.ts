import { type ChunkTable, chunkCount, chunkHashAt, rawEnd } from './chunk-table.ts';
import { keyedBy } from './hashes.ts';
import { BOOKEND, RECORD_BYTES, TAG } from './shard.ts';

const FOOTER_BYTES = 200;

/** Bytes that a xorb of so many chunks takes in a shard. */
export function blockBytes(chunks: number): number {
  return RECORD_BYTES * (chunks + 1);
}

/**
 * A xorb as a shard describes it, with every chunk hash masked by `key`: who has the chunk can find it again, nobody can
 * tell the hash. Pure, for a worker thread.
 */
export function xorbBlock(
  xorb: { readonly hash: Uint8Array; readonly storedBytes: number; readonly table: ChunkTable },
  key: Buffer,
): Buffer {
  const { table } = xorb;
  const mask = keyedBy(key);
  const count = chunkCount(table);
  const block = Buffer.alloc(blockBytes(count));
  block.set(xorb.hash);
  block.writeUInt32LE(count, 36);
  block.writeUInt32LE(rawEnd(table, count - 1), 40);
  block.writeUInt32LE(xorb.storedBytes, 44);
  for (let i = 0; i < count; i++) {
    const at = (i + 1) * RECORD_BYTES;
    block.set(mask(chunkHashAt(table, i)), at);
    block.writeUInt32LE(rawEnd(table, i - 1), at + 32);
    block.writeUInt32LE(rawEnd(table, i) - rawEnd(table, i - 1), at + 36);
  }
  return block;
}

/**
 * The answer to a question about a chunk: a shard without files, the blocks of xorbs, and the footer with the key that
 * masks the hashes and when clients must forget it (Unix seconds). Format: docs/xet/shard of the Hugging Face Hub
 * documentation, except that clients take the field at 24, "reserved" there, for the end of the xorb section: it and the
 * two other tables that we leave out point to the footer.
 */
export function dedupShard(
  blocks: readonly Buffer[],
  key: Buffer,
  times: { readonly createdAt: number; readonly expiresAt: number },
): Buffer {
  const header = Buffer.alloc(RECORD_BYTES);
  header.set(TAG);
  header.writeBigUInt64LE(2n, 32);
  header.writeBigUInt64LE(BigInt(FOOTER_BYTES), 40);
  const body = Buffer.concat([header, BOOKEND, ...blocks, BOOKEND]);
  const sum = (field: number) => blocks.reduce((total, block) => total + block.readUInt32LE(field), 0);
  const words = new Map<number, number>([
    [0, 1],
    [8, RECORD_BYTES],
    [16, 2 * RECORD_BYTES],
    [24, body.length],
    [40, body.length],
    [56, body.length],
    [104, times.createdAt],
    [112, times.expiresAt],
    [168, sum(44)],
    [184, sum(40)],
    [192, body.length],
  ]);
  const footer = Buffer.alloc(FOOTER_BYTES);
  for (const [at, value] of words) footer.writeBigUInt64LE(BigInt(value), at);
  footer.set(key, 72);
  return Buffer.concat([body, footer]);
}
