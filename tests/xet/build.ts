import { createHash } from 'node:crypto';
import type { XetHash } from '#lib/base/ids.ts';
import { chunkHash, hashBytes, hashText, rangeHash } from '#lib/repos/files/xet/hashes.ts';
import { fileHash, merkleRoot } from '#lib/repos/files/xet/merkle.ts';

/** A xorb made by hand: what a client would send, and what it would say about it. */
export interface BuiltXorb {
  readonly hash: XetHash;
  readonly body: Buffer;
  readonly chunks: readonly Buffer[];
}

export interface BuiltTerm {
  readonly xorb: BuiltXorb;
  readonly start: number;
  readonly end: number;
}

/** Lies to put into a shard, each in place of the truth. */
export interface ShardLies {
  sha256?: string;
  fileHash?: Buffer;
  rangeHash?: Buffer;
  rawBytes?: number;
  end?: number;
  xorbHash?: Buffer;
  chunkHash?: Buffer;
  withoutVerification?: boolean;
  withoutSha256?: boolean;
  /** Writes the digest's bytes as they are instead of in Xet order. */
  plainSha256?: boolean;
}

/** One chunk record: header and data. */
export function chunkRecord(data: Buffer, scheme = 0, rawBytes = data.length, version = 0): Buffer {
  const header = Buffer.alloc(8);
  header[0] = version;
  header.writeUIntLE(data.length, 1, 3);
  header[4] = scheme;
  header.writeUIntLE(rawBytes, 5, 3);
  return Buffer.concat([header, data]);
}

/** A xorb of uncompressed chunks. */
export function buildXorb(chunks: readonly Buffer[]): BuiltXorb {
  const root = merkleRoot({
    hashes: Buffer.concat(chunks.map((c) => chunkHash(c))),
    sizes: chunks.map((c) => c.length),
  });
  return { hash: hashText(root), body: Buffer.concat(chunks.map((c) => chunkRecord(c))), chunks };
}

/** Raw bytes of a file. */
export function contentOf(terms: readonly BuiltTerm[]): Buffer {
  return Buffer.concat(terms.flatMap((t) => t.xorb.chunks.slice(t.start, t.end)));
}

/** File id of a file. */
export function fileHashOf(terms: readonly BuiltTerm[]): XetHash {
  const chunks = terms.flatMap((t) => t.xorb.chunks.slice(t.start, t.end));
  const hashes = Buffer.concat(chunks.map((c) => chunkHash(c)));
  return hashText(fileHash({ hashes, sizes: chunks.map((c) => c.length) }));
}

/** Hex SHA-256. */
export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const TAG = Buffer.concat([
  Buffer.from('HFRepoMetaData'),
  Buffer.from([0, 85, 105, 103, 69, 106, 123, 129, 87, 131, 165, 189, 217, 92, 205, 209, 74, 169]),
]);
const BOOKEND = Buffer.concat([Buffer.alloc(32, 0xff), Buffer.alloc(16)]);

function record(hash: Uint8Array, ...words: number[]): Buffer {
  const out = Buffer.alloc(48);
  out.set(hash);
  for (const [i, word] of words.entries()) out.writeUInt32LE(word, 32 + 4 * i);
  return out;
}

function fileRecords(terms: readonly BuiltTerm[], lies: ShardLies): Buffer[] {
  const flags = (lies.withoutVerification ? 0 : 0x80000000) + (lies.withoutSha256 ? 0 : 0x40000000);
  const sha256 = Buffer.from(lies.sha256 ?? sha256Of(contentOf(terms)), 'hex');
  const entries = terms.map(({ xorb, start, end }) => {
    const rawBytes = Buffer.concat(xorb.chunks.slice(start, end)).length;
    return record(
      lies.xorbHash ?? hashBytes(xorb.hash),
      0,
      lies.rawBytes ?? rawBytes,
      start,
      lies.end ?? end,
    );
  });
  const proofs = terms.map(({ xorb, start, end }) =>
    record(
      lies.rangeHash ?? rangeHash(Buffer.concat(xorb.chunks.slice(start, end).map((c) => chunkHash(c)))),
    ),
  );
  return [
    record(lies.fileHash ?? hashBytes(fileHashOf(terms)), flags, terms.length),
    ...entries,
    ...(lies.withoutVerification ? [] : proofs),
    ...(lies.withoutSha256
      ? []
      : [record(lies.plainSha256 ? sha256 : hashBytes(sha256.toString('hex') as XetHash))]),
  ];
}

function xorbRecords(xorb: BuiltXorb, lies: ShardLies): Buffer[] {
  let offset = 0;
  const rows = xorb.chunks.map((chunk) => {
    const row = record(lies.chunkHash ?? chunkHash(chunk), offset, chunk.length, 0, 0);
    offset += chunk.length;
    return row;
  });
  return [record(hashBytes(xorb.hash), 0, xorb.chunks.length, offset, 0), ...rows];
}

/** A shard of these files over these xorbs. */
export function buildShard(
  files: readonly (readonly BuiltTerm[])[],
  xorbs: readonly BuiltXorb[],
  lies: ShardLies = {},
): Buffer {
  const header = Buffer.alloc(48);
  TAG.copy(header);
  header.writeBigUInt64LE(2n, 32);
  return Buffer.concat([
    header,
    ...files.flatMap((terms) => fileRecords(terms, lies)),
    BOOKEND,
    ...xorbs.flatMap((xorb) => xorbRecords(xorb, lies)),
    BOOKEND,
  ]);
}
