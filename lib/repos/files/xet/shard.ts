import { parseSha256, type Sha256 } from '#lib/base/ids.ts';
import { HASH_BYTES, hashText } from './hashes.ts';
import { XetInvalid } from './invalid.ts';

/** Most bytes of an uploaded shard. */
export const MAX_SHARD_BYTES = 64 * 1024 * 1024;

/** Everything in a shard is a multiple of this. */
export const RECORD_BYTES = 48;
const FILE_HAS_VERIFICATION = 0x80000000;
const FILE_HAS_SHA256 = 0x40000000;
/** First bytes of every shard: "HFRepoMetaData" and 18 fixed ones. */
export const TAG = Buffer.from('48465265706f4d6574614461746100556967456a7b815783a5bdd95ccdd14aa9', 'hex');
const BOOKEND_HASH = Buffer.alloc(HASH_BYTES, 0xff);
/** The record that ends a section. */
export const BOOKEND = Buffer.concat([BOOKEND_HASH, Buffer.alloc(RECORD_BYTES - HASH_BYTES)]);

export interface ShardTerm {
  /** 32 raw bytes, a view. */
  readonly xorbHash: Buffer;
  readonly rawBytes: number;
  readonly start: number;
  readonly end: number;
  /** Range hash over the chunks' hashes, a view. */
  readonly rangeHash: Buffer;
}

export interface ShardFile {
  readonly hash: Buffer;
  readonly terms: readonly ShardTerm[];
  readonly sha256: Sha256;
}

export interface ShardXorb {
  readonly hash: Buffer;
  readonly chunkCount: number;
  /** hash[32] | raw offset u32 | raw bytes u32 | flags u32 | unused u32 per chunk, a view. */
  readonly rows: Buffer;
}

export interface Shard {
  readonly files: readonly ShardFile[];
  readonly xorbs: readonly ShardXorb[];
}

/** Hands out 48-byte records in order and refuses counts that the body cannot hold, before anything is allocated. */
class Records {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  take(count: number): Buffer {
    const end = this.#at + count * RECORD_BYTES;
    if (end > this.#bytes.length) throw new XetInvalid('shard is cut short');
    const view = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return view;
  }
}

function isBookend(record: Buffer): boolean {
  return record.subarray(0, HASH_BYTES).equals(BOOKEND_HASH);
}

function parseFile(header: Buffer, records: Records): ShardFile {
  const hash = header.subarray(0, HASH_BYTES);
  const flags = header.readUInt32LE(32);
  const count = header.readUInt32LE(36);
  const name = hashText(hash);
  if ((flags & FILE_HAS_VERIFICATION) === 0)
    throw new XetInvalid(`file ${name}: verification entries are missing`);
  if ((flags & FILE_HAS_SHA256) === 0) throw new XetInvalid(`file ${name}: the SHA-256 is missing`);
  const entries = records.take(count);
  const proofs = records.take(count);
  // The SHA-256 is kept in Xet order: its string form is the usual hex.
  const sha256 = parseSha256(hashText(records.take(1)));
  if (sha256 === undefined) throw new XetInvalid(`file ${name}: bad SHA-256`);
  const terms = Array.from({ length: count }, (_, i) => {
    const at = i * RECORD_BYTES;
    return {
      xorbHash: entries.subarray(at, at + HASH_BYTES),
      rawBytes: entries.readUInt32LE(at + 36),
      start: entries.readUInt32LE(at + 40),
      end: entries.readUInt32LE(at + 44),
      rangeHash: proofs.subarray(at, at + HASH_BYTES),
    };
  });
  return { hash, terms, sha256 };
}

/**
 * Parses an uploaded shard: which files there are, and which xorbs they are made of. Everything after the second
 * bookend (a footer that some clients add) is ignored. Throws XetInvalid; allocates in proportion to the body only.
 * Format: docs/xet/shard of the Hugging Face Hub documentation.
 */
export function parseShard(body: Buffer): Shard {
  const records = new Records(body);
  const header = records.take(1);
  if (!header.subarray(0, TAG.length).equals(TAG)) throw new XetInvalid('not a shard: wrong tag');
  const version = header.readBigUInt64LE(32);
  if (version !== 2n) throw new XetInvalid(`shard version ${version} is not 2`);
  const files: ShardFile[] = [];
  for (let record = records.take(1); !isBookend(record); record = records.take(1))
    files.push(parseFile(record, records));
  const xorbs: ShardXorb[] = [];
  for (let record = records.take(1); !isBookend(record); record = records.take(1)) {
    const chunkCount = record.readUInt32LE(36);
    xorbs.push({ hash: record.subarray(0, HASH_BYTES), chunkCount, rows: records.take(chunkCount) });
  }
  return { files, xorbs };
}

/** Hash of chunk `index` of a shard's xorb block. */
export function shardChunkHash(xorb: ShardXorb, index: number): Buffer {
  return xorb.rows.subarray(index * RECORD_BYTES, index * RECORD_BYTES + HASH_BYTES);
}

/** Raw length of chunk `index` of a shard's xorb block. */
export function shardChunkBytes(xorb: ShardXorb, index: number): number {
  return xorb.rows.readUInt32LE(index * RECORD_BYTES + 36);
}
