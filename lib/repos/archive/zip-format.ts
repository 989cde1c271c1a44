import { isUtf8 } from 'node:buffer';
import { encodeName } from '../git/tree.ts';

/** One entry of a zip as it is written here: stored, never compressed. */
export interface ZipEntry {
  /** From the archive's root; a folder ends in a slash. */
  readonly path: string;
  /** As stat(2) has it: type and permissions. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** The checksum is known only when the bytes have passed, and follows them in a data descriptor. */
  readonly crcFollows: boolean;
}

const MAX_32 = 0xffffffff;
const MAX_16 = 0xffff;
const UNIX = 3 << 8;
const VERSION_20 = 20;
const VERSION_ZIP64 = 45;
const FLAG_CRC_FOLLOWS = 1 << 3;
const FLAG_UTF8 = 1 << 11;
const DOS_FOLDER = 0x10;
const TIME_EXTRA_BYTES = 9;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;

const isLarge = (entry: ZipEntry) => entry.sizeBytes >= MAX_32;

/** Date and time of MS-DOS (APPNOTE 4.4.6), in UTC wherever the server stands: two servers must write the same bytes. */
function dosTime(seconds: number): { time: number; date: number } {
  const at = new Date(Math.min(Math.max(seconds, 315_532_800), 4_354_819_198) * 1000); // 1980 to 2107
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  return { time, date };
}

/** Extra field 0x5455: the time to the second and independent of any zone. */
function timeExtra(seconds: number): Buffer {
  const out = Buffer.alloc(TIME_EXTRA_BYTES);
  out.writeUInt16LE(0x5455, 0);
  out.writeUInt16LE(5, 2);
  out.writeUInt8(1, 4);
  out.writeInt32LE(Math.min(Math.max(seconds, 0), 0x7fffffff), 5);
  return out;
}

/** Extra field 1: what does not fit into 32 bits. */
function zip64Extra(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const out = Buffer.alloc(4 + 8 * values.length);
  out.writeUInt16LE(1, 0);
  out.writeUInt16LE(8 * values.length, 2);
  for (const [i, value] of values.entries()) out.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  return out;
}

/** The fields that local and central header share, from "version needed" to the length of the name: 24 bytes. */
function commonFields(
  entry: ZipEntry,
  name: Buffer,
  seconds: number,
  values: { crc: number; size: number; isZip64: boolean },
): Buffer {
  const { time, date } = dosTime(seconds);
  const out = Buffer.alloc(24);
  out.writeUInt16LE(values.isZip64 ? VERSION_ZIP64 : VERSION_20, 0);
  out.writeUInt16LE((entry.crcFollows ? FLAG_CRC_FOLLOWS : 0) | (isUtf8(name) ? FLAG_UTF8 : 0), 2);
  out.writeUInt16LE(time, 6); // at 4 the method: 0, stored
  out.writeUInt16LE(date, 8);
  out.writeUInt32LE(values.crc, 10);
  out.writeUInt32LE(values.size, 14);
  out.writeUInt32LE(values.size, 18);
  out.writeUInt16LE(name.length, 22);
  return out;
}

/** What stands before an entry's bytes (APPNOTE 4.3.7). `crc` is zero for one whose checksum follows. */
export function localHeader(entry: ZipEntry, seconds: number, crc: number): Buffer {
  const name = encodeName(entry.path);
  const known = entry.crcFollows ? 0 : entry.sizeBytes;
  const isZip64 = isLarge(entry);
  const extra = Buffer.concat([zip64Extra(isZip64 ? [known, known] : []), timeExtra(seconds)]);
  const extraLength = Buffer.alloc(2);
  extraLength.writeUInt16LE(extra.length);
  const fields = commonFields(entry, name, seconds, { crc, size: isZip64 ? MAX_32 : known, isZip64 });
  return Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, extraLength, name, extra]);
}

/** What stands after the bytes of an entry whose checksum follows (APPNOTE 4.3.9). */
export function dataDescriptor(entry: ZipEntry, crc: number): Buffer {
  const out = Buffer.alloc(isLarge(entry) ? 24 : 16);
  out.write('PK\x07\x08', 'latin1');
  out.writeUInt32LE(crc, 4);
  for (const [at32, at64] of [
    [8, 8],
    [12, 16],
  ] as const)
    if (isLarge(entry)) out.writeBigUInt64LE(BigInt(entry.sizeBytes), at64);
    else out.writeUInt32LE(entry.sizeBytes, at32);
  return out;
}

/** An entry's line in the directory at the end (APPNOTE 4.3.12). */
export function centralHeader(entry: ZipEntry, seconds: number, crc: number, offset: number): Buffer {
  const name = encodeName(entry.path);
  const isFar = offset >= MAX_32;
  const values = [...(isLarge(entry) ? [entry.sizeBytes, entry.sizeBytes] : []), ...(isFar ? [offset] : [])];
  const extra = Buffer.concat([zip64Extra(values), timeExtra(seconds)]);
  const isZip64 = values.length > 0;
  const head = Buffer.from('PK\x01\x02\0\0', 'latin1');
  head.writeUInt16LE(UNIX | VERSION_ZIP64, 4);
  const size = isLarge(entry) ? MAX_32 : entry.sizeBytes;
  const tail = Buffer.alloc(16); // comment, disk and internal attributes: none
  tail.writeUInt16LE(extra.length, 0);
  tail.writeUInt32LE(((entry.mode << 16) | (entry.path.endsWith('/') ? DOS_FOLDER : 0)) >>> 0, 8);
  tail.writeUInt32LE(isFar ? MAX_32 : offset, 12);
  const fields = commonFields(entry, name, seconds, { crc, size, isZip64 });
  return Buffer.concat([head, fields, tail, name, extra]);
}

/** The end of the archive (APPNOTE 4.3.14 to 4.3.16): the three records of zip64 when a number needs them. */
export function endOfArchive(count: number, directoryStart: number, directoryBytes: number): Buffer {
  const isZip64 = count >= MAX_16 || directoryStart >= MAX_32 || directoryBytes >= MAX_32;
  const large = Buffer.alloc(isZip64 ? 76 : 0);
  if (isZip64) {
    large.write('PK\x06\x06', 'latin1');
    large.writeBigUInt64LE(44n, 4);
    large.writeUInt16LE(UNIX | VERSION_ZIP64, 12);
    large.writeUInt16LE(VERSION_ZIP64, 14);
    large.writeBigUInt64LE(BigInt(count), 24);
    large.writeBigUInt64LE(BigInt(count), 32);
    large.writeBigUInt64LE(BigInt(directoryBytes), 40);
    large.writeBigUInt64LE(BigInt(directoryStart), 48);
    large.write('PK\x06\x07', 56, 'latin1');
    large.writeBigUInt64LE(BigInt(directoryStart + directoryBytes), 64);
    large.writeUInt32LE(1, 72);
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Math.min(count, MAX_16), 8);
  end.writeUInt16LE(Math.min(count, MAX_16), 10);
  end.writeUInt32LE(Math.min(directoryBytes, MAX_32), 12);
  end.writeUInt32LE(Math.min(directoryStart, MAX_32), 16);
  return Buffer.concat([large, end]);
}

/** Bytes of a whole archive: nothing is compressed and what follows has a fixed size, so it is known before the first byte. */
export function archiveBytes(entries: readonly ZipEntry[]): number {
  let offset = 0;
  let directoryBytes = 0;
  for (const entry of entries) {
    const nameBytes = encodeName(entry.path).length;
    const [large, far] = [isLarge(entry), offset >= MAX_32];
    directoryBytes += CENTRAL_BYTES + nameBytes + TIME_EXTRA_BYTES;
    if (large || far) directoryBytes += 4 + (large ? 16 : 0) + (far ? 8 : 0);
    offset += LOCAL_BYTES + nameBytes + TIME_EXTRA_BYTES + (large ? 20 : 0) + entry.sizeBytes;
    if (entry.crcFollows) offset += large ? 24 : 16;
  }
  return offset + directoryBytes + endOfArchive(entries.length, offset, directoryBytes).length;
}
