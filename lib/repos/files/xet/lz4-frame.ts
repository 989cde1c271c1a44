import { xxhash32 } from './xxhash32.ts';

/** The bytes are not an LZ4 frame of exactly the promised length. */
export class Lz4Error extends Error {
  constructor(reason: string) {
    super(`LZ4 frame: ${reason}`);
    this.name = 'Lz4Error';
  }
}

const MAGIC = 0x184d2204;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_RESERVED = 0x02;
const FLAG_DICTIONARY = 0x01;
const BLOCK_IS_RAW = 0x80000000;

interface FrameHeader {
  readonly flags: number;
  readonly maxBlockBytes: number;
  /** Offset of the first block. */
  readonly bodyStart: number;
}

function u32(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) throw new Lz4Error('cut short');
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function readHeader(source: Uint8Array, outputBytes: number): FrameHeader {
  if (source.length < 11 || u32(source, 0) !== MAGIC) throw new Lz4Error('no magic number');
  const flags = source[4] as number;
  const blockByte = source[5] as number;
  if (flags >> 6 !== 1 || (flags & FLAG_RESERVED) !== 0) throw new Lz4Error('unknown version');
  if ((flags & FLAG_DICTIONARY) !== 0) throw new Lz4Error('dictionaries are not supported');
  const blockCode = blockByte >> 4;
  if ((blockByte & 0x0f) !== 0 || blockCode < 4 || blockCode > 7) throw new Lz4Error('bad block size code');
  let at = 6;
  if ((flags & FLAG_CONTENT_SIZE) !== 0) {
    if (u32(source, at) !== outputBytes || u32(source, at + 4) !== 0)
      throw new Lz4Error('content size differs from the promised length');
    at += 8;
  }
  if (source[at] !== ((xxhash32(source.subarray(4, at)) >>> 8) & 0xff))
    throw new Lz4Error('bad header checksum');
  return { flags, maxBlockBytes: 1 << (8 + 2 * blockCode), bodyStart: at + 1 };
}

/**
 * Decodes one compressed block source[at..end) into out from `start`; returns where it stopped.
 * `floor` is the oldest byte of `out` that matches may reach, `ceiling` the end of what may be written.
 */
function decodeBlock(
  source: Uint8Array,
  at: number,
  end: number,
  out: Uint8Array,
  start: number,
  floor: number,
  ceiling: number,
): number {
  let p = at;
  let o = start;
  while (p < end) {
    const token = source[p++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (p >= end) throw new Lz4Error('cut short in a length');
        more = source[p++] as number;
        literals += more;
      } while (more === 255);
    }
    if (literals > 0) {
      const stop = p + literals;
      if (stop > end) throw new Lz4Error('literals run past the block');
      if (o + literals > ceiling) throw new Lz4Error('more output than promised');
      if (literals > 24) {
        out.set(source.subarray(p, stop), o);
        o += literals;
        p = stop;
      } else while (p < stop) out[o++] = source[p++] as number;
    }
    if (p >= end) break; // the last sequence has no match
    if (p + 2 > end) throw new Lz4Error('cut short in an offset');
    const offset = (source[p] as number) | ((source[p + 1] as number) << 8);
    p += 2;
    if (offset === 0 || o - offset < floor) throw new Lz4Error('match before the start of the output');
    let length = token & 15;
    if (length === 15) {
      let more: number;
      do {
        if (p >= end) throw new Lz4Error('cut short in a length');
        more = source[p++] as number;
        length += more;
      } while (more === 255);
    }
    length += 4;
    if (o + length > ceiling) throw new Lz4Error('more output than promised');
    let from = o - offset;
    if (offset >= length && length > 32) {
      out.copyWithin(o, from, from + length);
      o += length;
    } else for (const stop = o + length; o < stop; ) out[o++] = out[from++] as number;
  }
  return o;
}

/**
 * Decodes one LZ4 frame that must fill `out` to the last byte and end with `source`. Never writes outside `out` and
 * stops at the first byte too many, so that a bomb costs no more than its promise. Accepts linked blocks, raw
 * blocks, checksums (which are verified) and a content size; refuses dictionaries and bytes after the frame.
 * Throws Lz4Error. Specification: LZ4 Frame Format 1.6.
 */
export function decodeLz4Frame(source: Uint8Array, out: Uint8Array): void {
  const { flags, maxBlockBytes, bodyStart } = readHeader(source, out.length);
  let at = bodyStart;
  let filled = 0;
  for (;;) {
    const sizeWord = u32(source, at);
    at += 4;
    if (sizeWord === 0) break;
    const isRaw = sizeWord >= BLOCK_IS_RAW;
    const size = isRaw ? sizeWord - BLOCK_IS_RAW : sizeWord;
    const end = at + size;
    if (size > maxBlockBytes || end > source.length) throw new Lz4Error('block runs past the frame');
    if (isRaw) {
      if (filled + size > out.length) throw new Lz4Error('more output than promised');
      out.set(source.subarray(at, end), filled);
      filled += size;
    } else {
      const floor = (flags & FLAG_INDEPENDENT) === 0 ? 0 : filled;
      const ceiling = Math.min(out.length, filled + maxBlockBytes);
      filled = decodeBlock(source, at, end, out, filled, floor, ceiling);
    }
    if ((flags & FLAG_BLOCK_CHECKSUM) !== 0) {
      if (u32(source, end) !== xxhash32(source.subarray(at, end))) throw new Lz4Error('bad block checksum');
      at = end + 4;
    } else at = end;
  }
  if ((flags & FLAG_CONTENT_CHECKSUM) !== 0) {
    if (u32(source, at) !== xxhash32(out.subarray(0, filled))) throw new Lz4Error('bad content checksum');
    at += 4;
  }
  if (filled !== out.length) throw new Lz4Error(`${filled} bytes of output instead of ${out.length}`);
  if (at !== source.length) throw new Lz4Error('bytes after the end');
}
