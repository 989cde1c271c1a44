import { createHash } from 'node:crypto';

/** A synthetic family of model files: what a team would upload one after the other. */
export interface Family {
  readonly name: string;
  /** Name and bytes of each member, made when asked for. */
  members(): Generator<{ readonly name: string; readonly bytes: Buffer }>;
}

const MB = 1_000_000;

/**
 * Numbers from 0 to 1 that depend on the seed alone (sfc32). A generator of 32 bits of state would not do: its one cycle
 * is short enough for tensors of different seeds to overlap, and they would share chunks.
 */
function randomOf(seed: string): () => number {
  const digest = createHash('sha256').update(seed).digest();
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => digest.readInt32LE(at)) as [number, number, number, number];
  return () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 4294967296;
  };
}

/** A trained tensor: values around zero as bfloat16, the same for the same seed. */
function weights(seed: string, bytes: number): Buffer {
  const random = randomOf(seed);
  const floats = new Float32Array(bytes / 2);
  for (let i = 0; i < floats.length; i++) floats[i] = (random() + random() + random() - 1.5) / 20;
  const words = new Uint32Array(floats.buffer);
  return Buffer.from(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

/** Quantised values: as good as random bits, the same for the same tensor and width. */
function quantised(seed: string, bytes: number): Buffer {
  const random = randomOf(seed);
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = random() * 4294967296;
  return Buffer.from(words.buffer).subarray(0, bytes);
}

/** A file of tensors with a JSON header in front, as safetensors has: a longer header moves all that follows. */
function fileOf(header: object, tensors: readonly Buffer[]): Buffer {
  const text = Buffer.from(JSON.stringify({ ...header, sizes: tensors.map((tensor) => tensor.length) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...tensors]);
}

/**
 * A base model of 16 layers of 4 MB and four fine-tunes of it that train three layers each, with a small adapter beside
 * each; the notes in their headers are of different lengths.
 */
const fineTunes: Family = {
  name: 'partial fine-tunes',
  *members() {
    const layer = (version: string, n: number) => weights(`base-${version}-${n}`, 4 * MB);
    const base = Array.from({ length: 16 }, (_, n) => layer('0', n));
    yield { name: 'base.safetensors', bytes: fileOf({ note: 'base' }, base) };
    for (let tune = 1; tune <= 4; tune++) {
      const trained = base.map((tensor, n) =>
        n >= 3 * tune && n < 3 * tune + 3 ? layer(`t${tune}`, n) : tensor,
      );
      const note = 'tuned on our own data '.repeat(tune);
      yield { name: `tune-${tune}.safetensors`, bytes: fileOf({ note }, trained) };
      yield { name: `adapter-${tune}.safetensors`, bytes: weights(`adapter-${tune}`, MB) };
    }
  },
};

/**
 * A quantised set: embeddings of 12 MB in every file, and 24 tensors that each file stores in 4, 5, 6 or 8 bits. Small,
 * medium and large variants of one width differ in how many tensors they keep in the next width, as K-quants do.
 */
const quants: Family = {
  name: 'quantised set',
  *members() {
    const embeddings = weights('embeddings', 12 * MB);
    const widths = [4, 5, 6, 8];
    for (const [i, width] of [4, 5, 6].entries())
      for (const [size, kept] of Object.entries({ S: 0, M: 6, L: 12 })) {
        const tensors = Array.from({ length: 24 }, (_, n) => {
          const bits = n < kept ? (widths[i + 1] as number) : width;
          return quantised(`tensor-${n}-${bits}`, (bits * MB) / 4);
        });
        yield {
          name: `model-Q${width}_K_${size}.gguf`,
          bytes: fileOf({ width, size }, [embeddings, ...tensors]),
        };
      }
  },
};

/** Ten checkpoints of a training that leaves eight of twelve layers of 4 MB as they are and changes the others each time. */
const checkpoints: Family = {
  name: 'ten checkpoints',
  *members() {
    for (let step = 0; step < 10; step++) {
      const tensors = Array.from({ length: 12 }, (_, n) =>
        weights(n < 8 ? `frozen-${n}` : `step-${step}-${n}`, 4 * MB),
      );
      yield { name: `checkpoint-${step}.safetensors`, bytes: fileOf({ step: 10 ** step }, tensors) };
    }
  },
};

export const families: readonly Family[] = [fineTunes, quants, checkpoints];
