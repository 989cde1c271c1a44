import { createHash } from 'node:crypto';
import { Blake3Hasher } from '@napi-rs/blake-hash';
import type { TensorRecord } from './types.ts';

export interface HashedTensors {
  readonly tensors: TensorRecord[];
  /** SHA-256 of the whole stream, hex. */
  readonly sha256: string;
}

/**
 * Hashes each tensor while the whole file streams by once, and the file with them. `tensors` must be in the order of
 * the file without overlaps; holds one part of the stream at a time.
 */
export async function hashTensors(
  parts: AsyncIterable<Buffer>,
  tensors: readonly TensorRecord[],
): Promise<HashedTensors> {
  const whole = createHash('sha256');
  const hashed: TensorRecord[] = [];
  let hasher = new Blake3Hasher();
  let next = 0;
  let position = 0;
  const finish = (tensor: TensorRecord) => {
    hashed.push({ ...tensor, hash: hasher.digest('base64') });
    hasher = new Blake3Hasher();
    next++;
  };
  for await (const part of parts) {
    whole.update(part);
    const end = position + part.length;
    for (let tensor = tensors[next]; tensor && tensor.start < end; tensor = tensors[next]) {
      const stop = tensor.start + tensor.sizeBytes;
      const from = Math.max(tensor.start, position) - position;
      hasher.update(part.subarray(from, Math.min(stop, end) - position));
      if (stop > end) break;
      finish(tensor);
    }
    position = end;
  }
  for (let tensor = tensors[next]; tensor; tensor = tensors[next]) finish(tensor); // empty ones at the very end
  return { tensors: hashed, sha256: whole.digest('hex') };
}
