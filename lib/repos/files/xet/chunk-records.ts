import { joinByteGroups } from './byte-grouping.ts';
import { XetInvalid } from './invalid.ts';
import { decodeLz4Frame, Lz4Error } from './lz4-frame.ts';

/** Bytes before the data of each chunk in a xorb. */
export const RECORD_HEADER_BYTES = 8;
/** Largest chunk, uncompressed. */
export const MAX_CHUNK_BYTES = 131_072;
/** Largest chunk record, with its header. */
export const MAX_RECORD_BYTES = RECORD_HEADER_BYTES + 2 * MAX_CHUNK_BYTES;

type Scheme = 'none' | 'lz4' | 'byte-grouped-lz4';
const SCHEMES: readonly Scheme[] = ['none', 'lz4', 'byte-grouped-lz4'];

export interface ChunkRecord {
  readonly scheme: Scheme;
  /** The data as stored, without the header: source[dataStart, dataEnd). */
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly rawBytes: number;
}

/**
 * Reads the eight bytes at `at`, which must be there; the data behind them need not be yet. Throws XetInvalid.
 * Layout (little-endian): version u8 = 0 | stored length u24 | scheme u8 | raw length u24 | data.
 */
export function readRecordHeader(source: Buffer, at: number): ChunkRecord {
  const storedBytes = source.readUIntLE(at + 1, 3);
  const scheme = SCHEMES[source[at + 4] as number];
  const rawBytes = source.readUIntLE(at + 5, 3);
  if (source[at] !== 0) throw new XetInvalid(`chunk header: version ${source[at]} is not 0`);
  if (scheme === undefined)
    throw new XetInvalid(`chunk header: unknown compression scheme ${source[at + 4]}`);
  if (rawBytes === 0 || rawBytes > MAX_CHUNK_BYTES)
    throw new XetInvalid(`chunk header: ${rawBytes} uncompressed bytes, allowed are 1 to ${MAX_CHUNK_BYTES}`);
  if (storedBytes > 2 * MAX_CHUNK_BYTES || (scheme === 'none' && storedBytes !== rawBytes))
    throw new XetInvalid(`chunk header: a stored length of ${storedBytes} is not possible`);
  const dataStart = at + RECORD_HEADER_BYTES;
  return { scheme, dataStart, dataEnd: dataStart + storedBytes, rawBytes };
}

/** Reads the header of a record that must lie wholly inside `source`. Throws XetInvalid. */
export function readChunkRecord(source: Buffer, at: number): ChunkRecord {
  if (at + RECORD_HEADER_BYTES > source.length) throw new XetInvalid('a chunk is cut short');
  const record = readRecordHeader(source, at);
  if (record.dataEnd > source.length) throw new XetInvalid('a chunk is cut short');
  return record;
}

const scratch = Buffer.allocUnsafeSlow(MAX_CHUNK_BYTES); // of this thread; used within one synchronous call only

/** Fills `out` (rawBytes long) with the uncompressed chunk; throws XetInvalid when the data does not decode to exactly that. */
export function decodeChunk(source: Buffer, record: ChunkRecord, out: Uint8Array): void {
  const data = source.subarray(record.dataStart, record.dataEnd);
  try {
    if (record.scheme === 'none') out.set(data);
    else if (record.scheme === 'lz4') decodeLz4Frame(data, out);
    else {
      const grouped = scratch.subarray(0, out.length);
      decodeLz4Frame(data, grouped);
      joinByteGroups(grouped, out);
    }
  } catch (error) {
    if (error instanceof Lz4Error) throw new XetInvalid(error.message);
    throw error;
  }
}
