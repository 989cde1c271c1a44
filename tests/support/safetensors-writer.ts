/** A tensor as it goes into a safetensors file. */
export interface SafeTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Buffer;
}

/** A safetensors file (format description of the safetensors repository): length, JSON header, data without gaps. */
export function writeSafetensors(tensors: readonly SafeTensor[]): Buffer {
  let offset = 0;
  const described = tensors.map(({ name, dtype, shape, data }) => {
    const entry = { dtype, shape, data_offsets: [offset, offset + data.length] };
    offset += data.length;
    return [name, entry] as const;
  });
  const header = Object.fromEntries<unknown>([['__metadata__', { format: 'pt' }], ...described]);
  return rawSafetensors(JSON.stringify(header), ...tensors.map(({ data }) => data));
}

/** The same with a header as it is given, true or not. */
export function rawSafetensors(header: string, ...data: readonly Buffer[]): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...data]);
}

/** Elements of a tensor as F32, from a rule. */
export function floats(count: number, valueOf: (index: number) => number): Buffer {
  return Buffer.from(Float32Array.from({ length: count }, (_, i) => valueOf(i)).buffer);
}
