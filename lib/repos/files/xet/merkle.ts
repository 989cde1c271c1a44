import { HASH_BYTES, hashText, nodeHash, saltRoot, ZERO_HASH } from './hashes.ts';

/** Leaves of the tree: hashes end to end, and how many raw bytes each stands for. */
export interface MerkleLeaves {
  readonly hashes: Uint8Array;
  readonly sizes: ArrayLike<number>;
}

interface Level {
  readonly hashes: Uint8Array;
  readonly sizes: ArrayLike<number>;
  readonly count: number;
}

const MAX_CHILDREN = 9;

/** Where the group that starts at `start` ends: after the first child, from the third on, whose last u64 is divisible by 4. */
function groupEnd(level: Level, start: number): number {
  const left = level.count - start;
  if (left <= 2) return level.count;
  const most = Math.min(MAX_CHILDREN, left);
  for (let i = 2; i < most; i++)
    if (((level.hashes[(start + i) * HASH_BYTES + 24] as number) & 3) === 0) return start + i + 1;
  return start + most;
}

function parentsOf(level: Level): Level {
  const hashes = Buffer.allocUnsafe(Math.ceil(level.count / 2) * HASH_BYTES);
  const sizes: number[] = [];
  for (let start = 0; start < level.count; ) {
    const end = groupEnd(level, start);
    let text = '';
    let size = 0;
    for (let i = start; i < end; i++) {
      text += `${hashText(level.hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))} : ${level.sizes[i]}\n`;
      size += level.sizes[i] as number;
    }
    hashes.set(nodeHash(text), sizes.length * HASH_BYTES);
    sizes.push(size);
    start = end;
  }
  return { hashes, sizes, count: sizes.length };
}

/**
 * Root of the Xet Merkle tree over chunks: the hash of a xorb. One leaf is its own root, none give the zero hash.
 * About 0.5 s for 100,000 leaves. Specification: docs/xet/hashing of the Hugging Face Hub documentation.
 */
export function merkleRoot(leaves: MerkleLeaves): Buffer {
  let level: Level = { ...leaves, count: leaves.sizes.length };
  if (level.count === 0) return Buffer.from(ZERO_HASH);
  while (level.count > 1) level = parentsOf(level);
  return Buffer.from(level.hashes.subarray(0, HASH_BYTES));
}

/** Id of a file that consists of these chunks in this order; the zero hash when it is empty. */
export function fileHash(leaves: MerkleLeaves): Buffer {
  return leaves.sizes.length === 0 ? Buffer.from(ZERO_HASH) : saltRoot(merkleRoot(leaves));
}
