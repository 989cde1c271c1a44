/** A tensor of a file: what the header says, and a hash of its bytes once that is known. */
export interface TensorRecord {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly start: number;
  readonly sizeBytes: number;
  /** BLAKE3 of its bytes, base64; null while the file has not been hashed. */
  readonly hash: string | null;
}

export type WeightsFormat = 'safetensors' | 'gguf';

/** What happened to a tensor. `unknown`: name, type and shape are the same, the bytes have not been hashed yet. */
export type TensorFate = 'added' | 'removed' | 'renamed' | 'retyped' | 'changed' | 'unchanged' | 'unknown';

/** How far two float tensors are apart, over elements at fixed places. */
export interface TensorDelta {
  /** ‖b − a‖ / ‖a‖; null when a is all zeros and b is not. */
  readonly relative: number | null;
  readonly maxAbs: number;
  /** Null when one of them is all zeros. */
  readonly cosine: number | null;
  /** Elements that were compared. */
  readonly sampled: number;
}

export interface TensorRow {
  /** The new name; the old one of a removed tensor. */
  readonly name: string;
  /** Of a renamed one. */
  readonly oldName: string | null;
  readonly fate: TensorFate;
  readonly before: TensorFacts | null;
  readonly after: TensorFacts | null;
  readonly delta: TensorDelta | null;
}

export type TensorFacts = Pick<TensorRecord, 'dtype' | 'shape' | 'sizeBytes'>;

/** The numbers of the sentence: "3 of 291 tensors changed, 98.7 % of bytes shared". */
export interface TensorSummary {
  /** Distinct tensors of both sides. */
  readonly total: number;
  /** Those that are not the same: changed, retyped, added and removed. */
  readonly different: number;
  readonly fates: Readonly<Record<TensorFate, number>>;
  /** Bytes of head that base has too, under whatever name; and all bytes of head. */
  readonly sharedBytes: number;
  readonly totalBytes: number;
}
