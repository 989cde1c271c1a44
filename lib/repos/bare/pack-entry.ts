import type { Kind } from '../git/objects.ts';

/** Entries of a pack, one behind another, in the order of their oids. */
export interface PackBatch {
  /** 20 bytes each. */
  readonly oids: Buffer;
  /** Where each ends within `bytes`. */
  readonly ends: readonly number[];
  readonly bytes: Buffer;
}

export interface EntryHeader {
  readonly kind: Kind;
  readonly sizeBytes: number;
  /** Where it ends, and the deflated content begins. */
  readonly end: number;
}

/** Reads what is in front of an entry's content: kind and size, 4 and then 7 bits at a time (gitformat-pack(5)). */
export function readEntryHeader(bytes: Buffer, start: number): EntryHeader {
  const first = bytes[start] as number;
  let sizeBytes = first & 15;
  let end = start + 1;
  for (let unit = 16, byte = first; byte >= 128; unit *= 128) {
    byte = bytes[end++] as number;
    sizeBytes += (byte & 127) * unit;
  }
  return { kind: ((first >> 4) & 7) as Kind, sizeBytes, end };
}

/** The first byte of a header of several, and seven bits of the size from `bit` on with more behind them. */
const FIRST = '((kind << 4) | (size & 15) | 128)';
const seven = (bit: number) => `(((size >> ${bit}) & 127) | 128)`;

/** The header in SQL, of the columns kind (int2) and size (int4). */
export const ENTRY_HEADER_SQL: string = `CASE
  WHEN size < ${2 ** 4} THEN substring(int4send((kind << 4) | size) FROM 4)
  WHEN size < ${2 ** 11} THEN substring(int4send((${FIRST} << 8) | (size >> 4)) FROM 3)
  WHEN size < ${2 ** 18} THEN substring(int4send((${FIRST} << 16) | (${seven(4)} << 8) | (size >> 11)) FROM 2)
  WHEN size < ${2 ** 25} THEN substring(int8send(
    (${FIRST}::int8 << 24) | (${seven(4)} << 16) | (${seven(11)} << 8) | (size >> 18)) FROM 5)
  ELSE substring(int8send((${FIRST}::int8 << 32) | (${seven(4)}::int8 << 24) |
    (${seven(11)} << 16) | (${seven(18)} << 8) | (size >> 25)) FROM 4) END`;
