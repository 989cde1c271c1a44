import { hubError } from '#lib/base/errors.ts';
import { ggmlTensor } from '../ggml-types.ts';
import { type GgufHeader, readGgufHeader } from '../read-gguf-header.ts';
import type { ReadRange } from '../read-range.ts';
import { readSafetensorsHeader } from '../read-safetensors-header.ts';
import type { TensorRecord, WeightsFormat } from './types.ts';

export interface WeightsLayout {
  readonly format: WeightsFormat;
  /** By where they stand in the file; no two share a byte. */
  readonly tensors: readonly TensorRecord[];
}

const MAX_TENSORS = 100_000;
const invalid = (why: string) => hubError('invalid_object', `not a valid GGUF file: ${why}`);

/** Tensors of a GGUF with their extents. A type newer than our table reaches to the next tensor, or to the end. */
function ggufRecords({ tensors, dataStart }: GgufHeader, fileBytes: number): TensorRecord[] {
  const inOrder = [...tensors].sort((a, b) => a.offset - b.offset);
  const names = new Set<string>();
  return inOrder.map(({ name, shape, dtype, offset }, i) => {
    const { type, sizeBytes } = ggmlTensor(dtype, shape);
    const start = dataStart + offset;
    const next = inOrder[i + 1];
    const limit = next === undefined ? fileBytes : dataStart + next.offset;
    const size = sizeBytes ?? limit - start;
    if (names.has(name)) throw invalid(`it names tensor ${name} twice`);
    if (start + size > fileBytes) throw invalid(`tensor ${name} lies outside the file`);
    if (start + size > limit) throw invalid(`tensor ${name} overlaps another`);
    names.add(name);
    return { name, dtype: type, shape, start, sizeBytes: size, hash: null };
  });
}

/**
 * Where each tensor of a weights file stands, from its header alone; which format it is, its first bytes tell. Throws
 * invalid_object, saying why, for a file that is neither or lies about itself.
 */
export async function readLayout(read: ReadRange, sizeBytes: number): Promise<WeightsLayout> {
  const magic = sizeBytes < 4 ? '' : (await read(0, 3)).toString('latin1');
  if (magic === 'GGUF') {
    const header = await readGgufHeader(read, sizeBytes);
    if (header.tensors.length > MAX_TENSORS) throw invalid(`it has more than ${MAX_TENSORS} tensors`);
    return { format: 'gguf', tensors: ggufRecords(header, sizeBytes) };
  }
  const header = await readSafetensorsHeader(read, sizeBytes);
  if (header.tensors.length > MAX_TENSORS)
    throw hubError('invalid_object', `not comparable: it has more than ${MAX_TENSORS} tensors`);
  const tensors = header.tensors.map((tensor): TensorRecord => ({ ...tensor, hash: null }));
  return { format: 'safetensors', tensors: tensors.sort((a, b) => a.start - b.start) };
}
