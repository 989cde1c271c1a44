import { ggmlTensor, safetensorsBytes } from '#lib/catalog/ggml-types.ts';
import { readGgufHeader } from '#lib/catalog/read-gguf-header.ts';
import type { ReadRange } from '#lib/catalog/read-range.ts';
import { readSafetensorsHeader } from '#lib/catalog/read-safetensors-header.ts';

/** Rows sent to the browser at most; the header of a larger file is shown in part and says so. */
const MAX_ROWS = 5_000;
const MAX_VALUE_CHARS = 4_000;

export interface TensorRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: string;
  readonly sizeBytes: number | null;
}

export interface TensorView {
  readonly tensors: readonly TensorRow[];
  readonly tensorCount: number;
  readonly metadata: readonly (readonly [key: string, value: string])[];
  /** Number of weights. */
  readonly parameters: number;
}

const shorten = (text: string) =>
  text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text;

function showValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return shorten(String(value));
  const { length, head } = value as { length: number; head: readonly unknown[] };
  return shorten(`[${head.map(String).join(', ')}${length > head.length ? `, … ${length}` : ''}]`);
}

async function ggufTensors(read: ReadRange, sizeBytes: number): Promise<TensorView> {
  const header = await readGgufHeader(read, sizeBytes);
  return {
    tensors: header.tensors
      .slice(0, MAX_ROWS)
      .map(({ name, shape, dtype }) => ({ name, shape, ...ggmlTensor(dtype, shape) })),
    tensorCount: header.tensors.length,
    metadata: Object.entries(header.metadata).map(([key, value]) => [key, showValue(value)] as const),
    parameters: header.total,
  };
}

async function safetensorsTensors(read: ReadRange, sizeBytes: number): Promise<TensorView> {
  const header = await readSafetensorsHeader(read, sizeBytes);
  return {
    tensors: header.tensors.slice(0, MAX_ROWS).map(({ name, shape, dtype }) => ({
      name,
      shape,
      type: dtype,
      sizeBytes: safetensorsBytes(dtype, shape),
    })),
    tensorCount: header.tensors.length,
    metadata: Object.entries(header.metadata).map(([key, value]) => [key, shorten(value)] as const),
    parameters: header.total,
  };
}

/** Reads the header of a weights file by ranges. Throws invalid_object, saying why, when it is not what its name says. */
export function readTensors(path: string, read: ReadRange, sizeBytes: number): Promise<TensorView> {
  return path.toLowerCase().endsWith('.gguf')
    ? ggufTensors(read, sizeBytes)
    : safetensorsTensors(read, sizeBytes);
}
