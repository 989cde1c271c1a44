/** Writes GGUF version 3 (the format description in ggml's docs/gguf.md): header, metadata, tensor table, aligned data. */

export type GgufValue =
  | { type: 'u32' | 'i32' | 'f32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'f32s' | 'i32s'; value: readonly number[] };

export interface GgufTensor {
  name: string;
  /** Rows first, as numpy would print it; the file stores the reverse. */
  shape: readonly number[];
  data: Float32Array;
  /** f16 holds 0 and 1 exactly, which is all the scripted model needs. */
  as: 'f32' | 'f16';
}

const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;
const TENSOR_TYPE = { f32: 0, f16: 1 } as const;
const ALIGNMENT = 32;

/** The whole file as one buffer. */
export function writeGguf(metadata: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): Buffer {
  const parts: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(metadata.size)];
  for (const [key, value] of metadata) parts.push(string(key), ...encodeValue(value));
  const blobs = tensors.map((t) => (t.as === 'f16' ? toHalf(t.data) : Buffer.from(t.data.buffer)));
  let offset = 0;
  tensors.forEach((tensor, i) => {
    parts.push(string(tensor.name), u32(tensor.shape.length));
    for (const size of tensor.shape.toReversed()) parts.push(u64(size));
    parts.push(u32(TENSOR_TYPE[tensor.as]), u64(offset));
    offset += aligned(blobs[i]?.length ?? 0);
  });
  const head = Buffer.concat(parts);
  return Buffer.concat([padded(head), ...blobs.map(padded)]);
}

function encodeValue(v: GgufValue): Buffer[] {
  switch (v.type) {
    case 'u32':
      return [u32(TYPE.u32), u32(v.value)];
    case 'i32':
      return [u32(TYPE.i32), i32(v.value)];
    case 'f32':
      return [u32(TYPE.f32), f32(v.value)];
    case 'bool':
      return [u32(TYPE.bool), Buffer.from([v.value ? 1 : 0])];
    case 'string':
      return [u32(TYPE.string), string(v.value)];
    case 'strings':
      return [u32(TYPE.array), u32(TYPE.string), u64(v.value.length), ...v.value.map(string)];
    case 'f32s':
      return [u32(TYPE.array), u32(TYPE.f32), u64(v.value.length), ...v.value.map(f32)];
    case 'i32s':
      return [u32(TYPE.array), u32(TYPE.i32), u64(v.value.length), ...v.value.map(i32)];
  }
}

function u32(value: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(value);
  return b;
}

function i32(value: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeInt32LE(value);
  return b;
}

function f32(value: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeFloatLE(value);
  return b;
}

function u64(value: number): Buffer {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(value));
  return b;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([u64(bytes.length), bytes]);
}

const aligned = (size: number) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;
const padded = (b: Buffer) => Buffer.concat([b, Buffer.alloc(aligned(b.length) - b.length)]);

function toHalf(values: Float32Array): Buffer {
  const out = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => {
    if (value !== 0 && value !== 1) throw new Error('f16 here holds 0 and 1 only');
    if (value === 1) out.writeUInt16LE(0x3c00, i * 2);
  });
  return out;
}
