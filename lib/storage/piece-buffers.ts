const MIB = 1024 * 1024;
/** What all open downloads of a process together hold, however many there are (see MIN_BYTES). */
const BUDGET_BYTES = 48 * MIB;
/** Kept for the next download when nobody uses it. */
const IDLE_BYTES = 8 * MIB;
const MAX_BYTES = MIB;
/** Below this reading costs more than it saves: from 384 downloads on each holds 128 KiB. */
const MIN_BYTES = 64 * 1024;
/** One with the reader, one being filled. */
export const BUFFERS_PER_READER = 2;

let readers = 0;
let idleBytes = 0;
const idle = new Map<number, Buffer<ArrayBuffer>[]>();

/** Counts one more reader until the returned function is called: the more there are, the smaller are the buffers. */
export function enterReader(): () => void {
  readers++;
  let isIn = true;
  return () => {
    if (isIn) readers--;
    isIn = false;
  };
}

/** How large a buffer may be now: a power of two from 64 KiB to 1 MiB. */
function bufferBytes(): number {
  const share = BUDGET_BYTES / (BUFFERS_PER_READER * Math.max(readers, 1));
  return Math.max(MIN_BYTES, Math.min(MAX_BYTES, 2 ** Math.floor(Math.log2(share))));
}

/** A buffer to be filled and given back. Using the same memory again is what makes reading fast: new pages cost more than the copy. */
export function takeBuffer(): Buffer<ArrayBuffer> {
  const size = bufferBytes();
  const buffer = idle.get(size)?.pop();
  if (buffer === undefined) return Buffer.from(new ArrayBuffer(size));
  idleBytes -= size;
  return buffer;
}

/** Takes a buffer back that nobody reads any more. */
export function giveBuffer(buffer: Buffer<ArrayBuffer>): void {
  const size = buffer.length;
  if (idleBytes + size > IDLE_BYTES) {
    buffer.buffer.transfer(0); // frees the memory now and not at some later collection
    return;
  }
  idleBytes += size;
  const same = idle.get(size);
  if (same) same.push(buffer);
  else idle.set(size, [buffer]);
}
