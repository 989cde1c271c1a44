/** How elements of a type stand in a file: so many to a block, so many bytes each block. */
interface ElementType {
  readonly elements: number;
  readonly bytes: number;
  readonly decode: (bytes: Buffer, out: Float64Array) => void;
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** OCP 8-bit floats: four bits of exponent, finite but for one pattern of NaN. */
function float8e4m3(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 15;
  const fraction = bits & 7;
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
}

/** A type of one element to a block. */
function plain(bytes: number, read: (from: Buffer, at: number) => number): ElementType {
  return {
    elements: 1,
    bytes,
    decode: (from, out) => {
      for (let i = 0; i < out.length; i++) out[i] = read(from, i * bytes);
    },
  };
}

const bfloat = Buffer.alloc(4);
function bfloat16(from: Buffer, at: number): number {
  bfloat.writeUInt16LE(from.readUInt16LE(at), 2);
  return bfloat.readFloatLE(0);
}

/** ggml's blocks of 32 whose nibbles stand for elements i and i + 16 (ggml-quants.c). */
function nibbles(
  headBytes: number,
  valueOf: (from: Buffer, at: number) => (nibble: number) => number,
): ElementType {
  const bytes = headBytes + 16;
  return {
    elements: 32,
    bytes,
    decode: (from, out) => {
      for (let block = 0; block * 32 < out.length; block++) {
        const at = block * bytes;
        const value = valueOf(from, at);
        for (let i = 0; i < 16; i++) {
          const byte = from[at + headBytes + i] as number;
          out[block * 32 + i] = value(byte & 15);
          out[block * 32 + 16 + i] = value(byte >> 4);
        }
      }
    },
  };
}

const q8: ElementType = {
  elements: 32,
  bytes: 34,
  decode: (from, out) => {
    for (let i = 0; i < out.length; i++) {
      const at = Math.floor(i / 32) * 34;
      out[i] = half(from.readUInt16LE(at)) * from.readInt8(at + 2 + (i % 32));
    }
  },
};

const TYPES: Readonly<Record<string, ElementType>> = {
  F64: plain(8, (from, at) => from.readDoubleLE(at)),
  F32: plain(4, (from, at) => from.readFloatLE(at)),
  F16: plain(2, (from, at) => half(from.readUInt16LE(at))),
  BF16: plain(2, bfloat16),
  F8_E4M3: plain(1, (from, at) => float8e4m3(from[at] as number)),
  F8_E5M2: plain(1, (from, at) => half((from[at] as number) << 8)),
  Q8_0: q8,
  Q4_0: nibbles(2, (from, at) => {
    const scale = half(from.readUInt16LE(at));
    return (nibble) => scale * (nibble - 8);
  }),
  Q4_1: nibbles(4, (from, at) => {
    const [scale, least] = [half(from.readUInt16LE(at)), half(from.readUInt16LE(at + 2))];
    return (nibble) => scale * nibble + least;
  }),
};

/** The type of a float tensor by its name in safetensors or ggml; undefined for those whose values we do not read. */
export function elementType(dtype: string): ElementType | undefined {
  return TYPES[dtype];
}
