const MIB = 1024 * 1024;
const MIN_BYTES = 64 * 1024;
/** Kept for the next reader when nobody uses it. */
export const IDLE_BYTES = 8 * MIB;

let idleBytes = 0;
const idle = new Map<number, ArrayBuffer[]>();

/**
 * Memory to be filled and given back, of the next power of two: with few sizes what was freed fits again, and the
 * process does not grow by holes. Using the same memory again is what makes reading fast: new pages cost more than the
 * copy. What was in it may still be there.
 */
export function takeBuffer(bytes: number): ArrayBuffer {
  const size = Math.max(MIN_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
  const buffer = idle.get(size)?.pop();
  if (buffer === undefined) return new ArrayBuffer(size);
  idleBytes -= size;
  return buffer;
}

/** Takes a buffer back that nobody reads or fills any more; one that was moved to a thread and lost there is no matter. */
export function giveBuffer(buffer: ArrayBuffer): void {
  if (buffer.detached) return;
  const size = buffer.byteLength;
  if (idleBytes + size > IDLE_BYTES) {
    buffer.transfer(0); // frees the memory now and not at some later collection
    return;
  }
  idleBytes += size;
  const same = idle.get(size);
  if (same) same.push(buffer);
  else idle.set(size, [buffer]);
}

/** The largest power of two up to `bytes`, within bounds that are powers of two. */
export function bufferSize(minBytes: number, bytes: number, maxBytes: number): number {
  return Math.max(minBytes, Math.min(maxBytes, 2 ** Math.floor(Math.log2(bytes))));
}
