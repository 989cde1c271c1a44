import { hubError } from '#lib/base/errors.ts';
import { isJsonObject } from '#lib/base/json.ts';
import { checkLayout } from './check-layout.ts';
import { findRepeatedKey } from './find-repeated-key.ts';
import { safetensorsBytes } from './ggml-types.ts';
import type { ReadRange } from './read-range.ts';

export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its bytes begin, from the start of the file, and how many there are. */
  readonly start: number;
  readonly sizeBytes: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly SafetensorsTensor[];
  /** Number of elements by dtype, and altogether. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly total: number;
}

const MAX_HEADER_BYTES = 25_000_000;
const FIRST_READ_BYTES = 100_000;
const invalid = (why: string) => hubError('invalid_object', `not a valid safetensors file: ${why}`);

/**
 * Reads the header of a safetensors file through ranges: one read for most files, two for long headers, never
 * the weights. Throws invalid_object, saying why, for anything that is not a safetensors file.
 */
export async function readSafetensorsHeader(read: ReadRange, sizeBytes: number): Promise<SafetensorsHeader> {
  if (sizeBytes < 10) throw invalid('the file is shorter than 10 bytes');
  const first = await read(0, Math.min(sizeBytes, FIRST_READ_BYTES) - 1);
  const length = first.readBigUInt64LE(0);
  if (length > BigInt(MAX_HEADER_BYTES))
    throw invalid(`its header claims ${length} bytes, more than the limit of ${MAX_HEADER_BYTES}`);
  const end = 8 + Number(length);
  if (end > sizeBytes) throw invalid('its header is longer than the file');
  const rest = end > first.length ? await read(first.length, end - 1) : undefined;
  const bytes = rest ? Buffer.concat([first, rest]) : first;
  return parseHeader(bytes.toString('utf8', 8, end), end, sizeBytes - end);
}

function parseHeader(text: string, dataStart: number, dataBytes: number): SafetensorsHeader {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid('its header is not JSON');
  }
  if (!isJsonObject(json)) throw invalid('its header is not a JSON object');
  const repeated = findRepeatedKey(text);
  if (repeated !== null) throw invalid(`its header names ${repeated.slice(0, 200)} twice`);
  const metadata: Record<string, string> = {};
  const tensors: SafetensorsTensor[] = [];
  const parameters: Record<string, number> = {};
  let total = 0;
  for (const [name, entry] of Object.entries(json)) {
    if (name === '__metadata__') {
      if (isJsonObject(entry))
        for (const [key, value] of Object.entries(entry))
          if (typeof value === 'string') metadata[key] = value;
      continue;
    }
    const { dtype, shape, start, sizeBytes } = parseTensor(name, entry, dataStart, dataBytes);
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    if (!Number.isSafeInteger(count)) throw invalid(`tensor ${name} is impossibly large`);
    parameters[dtype] = (parameters[dtype] ?? 0) + count;
    total += count;
    tensors.push({ name, dtype, shape, start, sizeBytes });
  }
  checkLayout(tensors, dataStart, dataStart + dataBytes, invalid);
  return { metadata, tensors, parameters, total };
}

function parseTensor(
  name: string,
  entry: unknown,
  dataStart: number,
  dataBytes: number,
): Omit<SafetensorsTensor, 'name'> {
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isJsonObject(entry)) throw invalid(`tensor ${name} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !/^[A-Z0-9_]{1,16}$/.test(dtype))
    throw invalid(`tensor ${name} has no dtype`);
  if (!Array.isArray(shape) || shape.length > 16 || !shape.every(isCount))
    throw invalid(`tensor ${name} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw invalid(`tensor ${name} has no valid data_offsets`);
  const [start, end] = offsets as [number, number];
  if (start > end || end > dataBytes) throw invalid(`tensor ${name} lies outside the file`);
  const expected = safetensorsBytes(dtype, shape);
  if (expected !== null && expected !== end - start)
    throw invalid(`tensor ${name} has ${end - start} bytes, but its shape needs ${expected}`);
  return { dtype, shape, start: dataStart + start, sizeBytes: end - start };
}
