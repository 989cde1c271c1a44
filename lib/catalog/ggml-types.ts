/** ggml's quantisation types by number: name, weights in a block, bytes of a block (ggml.h, ggml-common.h). */
const GGML_TYPES: Readonly<Record<number, readonly [name: string, weights: number, bytes: number]>> = {
  0: ['F32', 1, 4],
  1: ['F16', 1, 2],
  2: ['Q4_0', 32, 18],
  3: ['Q4_1', 32, 20],
  6: ['Q5_0', 32, 22],
  7: ['Q5_1', 32, 24],
  8: ['Q8_0', 32, 34],
  9: ['Q8_1', 32, 36],
  10: ['Q2_K', 256, 84],
  11: ['Q3_K', 256, 110],
  12: ['Q4_K', 256, 144],
  13: ['Q5_K', 256, 176],
  14: ['Q6_K', 256, 210],
  15: ['Q8_K', 256, 292],
  16: ['IQ2_XXS', 256, 66],
  17: ['IQ2_XS', 256, 74],
  18: ['IQ3_XXS', 256, 98],
  19: ['IQ1_S', 256, 50],
  20: ['IQ4_NL', 32, 18],
  21: ['IQ3_S', 256, 110],
  22: ['IQ2_S', 256, 82],
  23: ['IQ4_XS', 256, 136],
  24: ['I8', 1, 1],
  25: ['I16', 1, 2],
  26: ['I32', 1, 4],
  27: ['I64', 1, 8],
  28: ['F64', 1, 8],
  29: ['IQ1_M', 256, 56],
  30: ['BF16', 1, 2],
  34: ['TQ1_0', 256, 54],
  35: ['TQ2_0', 256, 66],
  39: ['MXFP4', 32, 17],
};

const SAFETENSORS_BITS: Readonly<Record<string, number>> = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F4: 4,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
};

const weightsOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

/** Name and size of a GGUF tensor; null bytes for a type that is newer than this table. */
export function ggmlTensor(
  dtype: number,
  shape: readonly number[],
): { type: string; sizeBytes: number | null } {
  const known = GGML_TYPES[dtype];
  if (known === undefined) return { type: `type ${dtype}`, sizeBytes: null };
  const [type, weights, bytes] = known;
  return { type, sizeBytes: Math.ceil(weightsOf(shape) / weights) * bytes };
}

/** Size of a safetensors tensor; null for an unknown dtype. */
export function safetensorsBytes(dtype: string, shape: readonly number[]): number | null {
  const bits = SAFETENSORS_BITS[dtype];
  return bits === undefined ? null : Math.ceil((weightsOf(shape) * bits) / 8);
}
