import type { Kind } from '../git/objects.ts';

/** Entries of a pack, one behind another, in the order of their oids. */
export interface PackBatch {
  /** 20 bytes each. */
  readonly oids: Buffer;
  /** Where each ends within `bytes`. */
  readonly ends: readonly number[];
  readonly bytes: Buffer;
}

/** What is in front of an entry's deflated content (gitformat-pack(5)): kind and size, 4 and then 7 bits at a time. */
export function entryHeader(kind: Kind, sizeBytes: number): Buffer {
  const bytes: number[] = [];
  let current = (kind << 4) | (sizeBytes & 15);
  for (let rest = Math.floor(sizeBytes / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(current | 128);
    current = rest & 127;
  }
  return Buffer.from([...bytes, current]);
}

/** Contents of so many bytes have a header of four bytes at most, which entryHeaderSql makes. */
export const MAX_SQL_SIZE: number = 2 ** 25;

/** Bytes of the header, for sizes below MAX_SQL_SIZE. */
export function entryHeaderBytes(sizeBytes: number): number {
  if (sizeBytes < 2 ** 4) return 1;
  if (sizeBytes < 2 ** 11) return 2;
  return sizeBytes < 2 ** 18 ? 3 : 4;
}

/** The first byte of a header of several, and seven bits of the size from `bit` on with more behind them. */
const FIRST = '((kind << 4) | (size & 15) | 128)';
const seven = (bit: number) => `(((size >> ${bit}) & 127) | 128)`;

/** entryHeader in SQL, of the columns kind (int2) and size (int4). */
export const ENTRY_HEADER_SQL: string = `CASE
  WHEN size < ${2 ** 4} THEN substring(int4send((kind << 4) | size) FROM 4)
  WHEN size < ${2 ** 11} THEN substring(int4send((${FIRST} << 8) | (size >> 4)) FROM 3)
  WHEN size < ${2 ** 18} THEN substring(int4send((${FIRST} << 16) | (${seven(4)} << 8) | (size >> 11)) FROM 2)
  ELSE substring(int8send((${FIRST}::int8 << 24) | (${seven(4)} << 16) | (${seven(11)} << 8) | (size >> 18)) FROM 5)
  END`;
