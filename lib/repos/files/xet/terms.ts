/** A file is a list of terms: each a range of chunks of one xorb, half-open. */
export interface Term {
  readonly xorbId: number;
  readonly start: number;
  readonly end: number;
  /** Raw bytes of the range. */
  readonly rawBytes: number;
}

const TERM_BYTES = 20;

/** Packs terms for xet_file.terms: xorb id u64 | start u32 | end u32 | raw bytes u32, little-endian. */
export function packTerms(terms: readonly Term[]): Buffer {
  const out = Buffer.allocUnsafe(terms.length * TERM_BYTES);
  for (const [i, term] of terms.entries()) {
    const at = i * TERM_BYTES;
    out.writeBigUInt64LE(BigInt(term.xorbId), at);
    out.writeUInt32LE(term.start, at + 8);
    out.writeUInt32LE(term.end, at + 12);
    out.writeUInt32LE(term.rawBytes, at + 16);
  }
  return out;
}

/** Inverse of packTerms. */
export function unpackTerms(packed: Buffer): Term[] {
  if (packed.length % TERM_BYTES !== 0) throw new RangeError('xet_file.terms is damaged');
  return Array.from({ length: packed.length / TERM_BYTES }, (_, i) => {
    const at = i * TERM_BYTES;
    return {
      xorbId: Number(packed.readBigUInt64LE(at)),
      start: packed.readUInt32LE(at + 8),
      end: packed.readUInt32LE(at + 12),
      rawBytes: packed.readUInt32LE(at + 16),
    };
  });
}

/** A chunk of a file, where it is stored. */
export interface PlacedChunk {
  readonly xorbId: number;
  readonly index: number;
  readonly rawBytes: number;
}

/** The fewest terms that give these chunks in their order. */
export function termsOf(chunks: Iterable<PlacedChunk>): Term[] {
  const terms: { xorbId: number; start: number; end: number; rawBytes: number }[] = [];
  for (const { xorbId, index, rawBytes } of chunks) {
    const last = terms.at(-1);
    if (last !== undefined && last.xorbId === xorbId && last.end === index) {
      last.end += 1;
      last.rawBytes += rawBytes;
    } else terms.push({ xorbId, start: index, end: index + 1, rawBytes });
  }
  return terms;
}
