import { Blake3Hasher } from '@napi-rs/blake-hash';
import { parseXetHash, type XetHash } from '#lib/base/ids.ts';

/** Length of every Xet hash, in bytes. */
export const HASH_BYTES = 32;

/** The hash of nothing: of an empty file and of a list without chunks. */
export const ZERO_HASH: Buffer = Buffer.alloc(HASH_BYTES);

// The three public keys of the Xet specification, docs/xet/hashing.
const DATA_KEY = Buffer.from('6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229', 'hex');
const NODE_KEY = Buffer.from('017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f', 'hex');
const RANGE_KEY = Buffer.from('7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3', 'hex');

/**
 * BLAKE3 under a key, for many hashes. One hasher is used again and again: those that are dropped keep 2 KB each outside
 * V8's heap until some collection, and a download makes 13,000 hashes a second.
 */
export function keyedBy(key: Buffer): (bytes: Uint8Array | string) => Buffer {
  const hasher = Blake3Hasher.newKeyed(key);
  return (bytes) => {
    hasher.reset();
    return hasher.update(bytes).digestBuffer();
  };
}

function reverseGroups(bytes: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(HASH_BYTES);
  for (let i = 0; i < HASH_BYTES; i++) out[i] = bytes[(i & 24) + 7 - (i & 7)] as number;
  return out;
}

/** Hash of one chunk's uncompressed bytes. */
export const chunkHash: (raw: Uint8Array) => Buffer = keyedBy(DATA_KEY);

/** Hash of an inner node of the Merkle tree, given its children as text (merkle.ts). */
export const nodeHash: (children: string) => Buffer = keyedBy(NODE_KEY);

/** What an uploader shows to prove knowledge of a range of chunks: `hashes` is their hashes end to end. */
export const rangeHash: (hashes: Uint8Array) => Buffer = keyedBy(RANGE_KEY);

/** Turns the Merkle root of a file's chunks into the file's id. */
export const saltRoot: (root: Uint8Array) => Buffer = keyedBy(ZERO_HASH);

/** The form used in URLs, JSON and Merkle nodes: each group of eight bytes reversed, then hex. */
export function hashText(bytes: Uint8Array): XetHash {
  return reverseGroups(bytes).toString('hex') as XetHash;
}

/** Inverse of hashText. */
export function hashBytes(text: XetHash): Buffer {
  return reverseGroups(Buffer.from(text, 'hex'));
}

/** Parses the string form as it arrives in a path (either case), or undefined. */
export function parseHashText(text: string | undefined): XetHash | undefined {
  return parseXetHash(text?.toLowerCase());
}
