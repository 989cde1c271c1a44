import { hubError } from '#lib/base/errors.ts';
import { HeaderCursor } from './header-cursor.ts';
import type { ReadRange } from './read-range.ts';

export type GgufScalar = string | number | boolean;

/** An array of the metadata: its length and its first elements. */
export interface GgufArray {
  readonly length: number;
  readonly head: readonly GgufScalar[];
}

export interface GgufTensor {
  readonly name: string;
  /** ggml's number of the quantisation type. */
  readonly dtype: number;
  readonly shape: readonly number[];
  /** Where its bytes begin, counted from `dataStart`. As the file says: not checked. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: Readonly<Record<string, GgufScalar | GgufArray>>;
  readonly tensors: readonly GgufTensor[];
  /** Where the weights begin, from the start of the file. */
  readonly dataStart: number;
  /** Number of weights. */
  readonly total: number;
  /** The text of a token by its id, read from the file on demand; null when there is none. */
  readonly tokenText: (id: number) => Promise<string | null>;
}

const MAX_HEADER_BYTES = 128 * 1024 * 1024;
const MAX_KEYS = 4096;
const MAX_TENSORS = 200_000;
const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_ARRAY = 4_000_000;
const MAX_TOKENS = 1_000_000;
const ARRAY_HEAD = 16;
const STRING = 8;
const ARRAY = 9;
/** Bytes of each fixed-size value type, by ggml's number. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

const invalid = (why: string) => hubError('invalid_object', `not a valid GGUF file: ${why}`);

/**
 * Reads the header of a GGUF file (versions 2 and 3) through growing ranges, never the weights. Every count and
 * length is checked before it is believed; throws invalid_object, saying why, for anything that is not a GGUF.
 */
export async function readGgufHeader(read: ReadRange, sizeBytes: number): Promise<GgufHeader> {
  const cursor = new HeaderCursor(read, Math.min(sizeBytes, MAX_HEADER_BYTES));
  if (sizeBytes < 24) throw invalid('the file is shorter than 24 bytes');
  await cursor.need(24);
  if (cursor.take(4).toString('latin1') !== 'GGUF') throw invalid('it does not begin with GGUF');
  const version = cursor.u32();
  if (version < 2 || version > 3) throw invalid(`version ${version} is not supported (2 and 3 are)`);
  const tensorCount = cursor.u64();
  const keyCount = cursor.u64();
  if (tensorCount > MAX_TENSORS) throw invalid(`it claims ${tensorCount} tensors`);
  if (keyCount > MAX_KEYS) throw invalid(`it claims ${keyCount} metadata keys`);
  const { metadata, tokens } = await readMetadata(cursor, keyCount);
  const { tensors, total } = await readTensors(cursor, tensorCount);
  const alignment = alignmentOf(metadata);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  return { version, metadata, tensors, dataStart, total, tokenText: tokenReader(read, tokens) };
}

/** Bytes to whose multiples the weights are aligned (ggml's docs/gguf.md: 32 unless the file says otherwise). */
function alignmentOf(metadata: GgufHeader['metadata']): number {
  const value = metadata['general.alignment'] ?? 32;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > 2 ** 20)
    throw invalid('its alignment is impossible');
  return value;
}

async function readMetadata(cursor: HeaderCursor, keyCount: number) {
  const metadata: Record<string, GgufScalar | GgufArray> = {};
  let tokens: TokenOffsets | null = null;
  for (let i = 0; i < keyCount; i++) {
    const key = await readText(cursor, 65_535);
    await cursor.need(4);
    const type = cursor.u32();
    if (type === ARRAY) {
      const keep = key === 'tokenizer.ggml.tokens';
      const array = await readArray(cursor, keep);
      metadata[key] = { length: array.length, head: array.head };
      if (keep) tokens = array.offsets;
    } else metadata[key] = await readScalar(cursor, type);
  }
  return { metadata, tokens };
}

async function readTensors(cursor: HeaderCursor, tensorCount: number) {
  const tensors: GgufTensor[] = [];
  let total = 0;
  for (let i = 0; i < tensorCount; i++) {
    const name = await readText(cursor, 65_535);
    await cursor.need(4);
    const dimensions = cursor.u32();
    if (dimensions > 8) throw invalid(`tensor ${name} claims ${dimensions} dimensions`);
    await cursor.need(dimensions * 8 + 12);
    const shape: number[] = [];
    for (let d = 0; d < dimensions; d++) shape.push(cursor.u64());
    const dtype = cursor.u32();
    const offset = cursor.u64();
    const count = shape.reduce((product, n) => product * n, 1);
    if (!Number.isSafeInteger(count)) throw invalid(`tensor ${name} is impossibly large`);
    total += count;
    tensors.push({ name, dtype, shape, offset });
  }
  return { tensors, total };
}

/** A length-prefixed text; texts above MAX_TEXT_BYTES are cut, above `limit` (when given) refused. */
async function readText(cursor: HeaderCursor, limit?: number): Promise<string> {
  await cursor.need(8);
  const length = cursor.u64();
  if (limit !== undefined && length > limit) throw invalid(`a name claims ${length} bytes`);
  const kept = Math.min(length, MAX_TEXT_BYTES);
  await cursor.need(kept);
  const text = cursor.take(kept).toString('utf8');
  cursor.skip(length - kept);
  return text;
}

async function readScalar(cursor: HeaderCursor, type: number): Promise<GgufScalar> {
  if (type === STRING) return readText(cursor);
  const size = FIXED_BYTES[type];
  if (size === undefined) throw invalid(`unknown value type ${type}`);
  await cursor.need(size);
  const bytes = cursor.take(size);
  switch (type) {
    case 0:
      return bytes.readUInt8(0);
    case 1:
      return bytes.readInt8(0);
    case 2:
      return bytes.readUInt16LE(0);
    case 3:
      return bytes.readInt16LE(0);
    case 4:
      return bytes.readUInt32LE(0);
    case 5:
      return bytes.readInt32LE(0);
    case 6:
      return bytes.readFloatLE(0);
    case 7:
      return bytes.readUInt8(0) !== 0;
    case 10:
      return Number(bytes.readBigUInt64LE(0));
    case 11:
      return Number(bytes.readBigInt64LE(0));
    default:
      return bytes.readDoubleLE(0);
  }
}

/** Where each text of an array begins and how long it is. */
interface TokenOffsets {
  readonly starts: Float64Array;
  readonly lengths: Uint32Array;
}

async function readArray(cursor: HeaderCursor, keepOffsets: boolean, depth = 0) {
  await cursor.need(12);
  const type = cursor.u32();
  const length = cursor.u64();
  if (length > MAX_ARRAY) throw invalid(`an array claims ${length} elements`);
  const head: GgufScalar[] = [];
  let offsets: TokenOffsets | null = null;
  if (type === ARRAY) {
    if (depth > 2) throw invalid('arrays nest too deeply');
    for (let i = 0; i < length; i++) await readArray(cursor, false, depth + 1);
  } else if (type === STRING) {
    const texts = Math.min(length, ARRAY_HEAD);
    offsets =
      keepOffsets && length <= MAX_TOKENS
        ? { starts: new Float64Array(length), lengths: new Uint32Array(length) }
        : null;
    for (let i = 0; i < length; i++) {
      if (cursor.ready < 8) await cursor.need(8);
      const start = cursor.position + 8;
      if (i < texts) head.push((await readText(cursor)).slice(0, 200));
      else cursor.skip(cursor.u64());
      if (offsets) {
        offsets.starts[i] = start;
        offsets.lengths[i] = cursor.position - start;
      }
    }
  } else {
    const size = FIXED_BYTES[type];
    if (size === undefined) throw invalid(`unknown value type ${type}`);
    const kept = Math.min(length, ARRAY_HEAD);
    for (let i = 0; i < kept; i++) head.push(await readScalar(cursor, type));
    cursor.skip((length - kept) * size);
  }
  return { length, head, offsets };
}

function tokenReader(read: ReadRange, tokens: TokenOffsets | null): (id: number) => Promise<string | null> {
  return async (id) => {
    const start = tokens?.starts[id];
    const length = tokens?.lengths[id];
    if (start === undefined || length === undefined || length > 4096) return null;
    return length === 0 ? '' : (await read(start, start + length - 1)).toString('utf8');
  };
}
