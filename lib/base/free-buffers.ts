import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;

const EVERY_BYTES = 8 * 1024 * 1024;

/**
 * Lets the heap grow to twice what lived in it before V8 looks through all of it again. Buffers count against that
 * limit as they come and go, and V8 sets it so low for a heap that does not grow (half a dozen MB above what lives)
 * that every 16 MB of them would cost a look. Call it once, as a process starts; costs at most the heap (50 MB) once
 * more.
 */
export function expectBuffers(): void {
  setFlagsFromString('--heap-growing-percent=100');
}

let collect: Collect | undefined;
let pendingBytes = 0;

/**
 * Frees the memory of buffers now, not at some later collection, and returns how many bytes it could not free: a buffer
 * that is a part of some larger memory stays. The caller must be the last who holds them: reading one afterwards throws,
 * or shows no bytes.
 */
export function freeBuffers(buffers: readonly Buffer[]): number {
  let leftBytes = 0;
  for (const { buffer, byteLength } of buffers) {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
    else leftBytes += byteLength;
  }
  return leftBytes;
}

/**
 * To be told of buffers that were just dropped, on their way in or out. V8 sees only the few bytes of each buffer's
 * handle: it lets dropped memory pile up, and looks through the whole heap each time that 64 MB have come together,
 * which cost more than half of the processor time of an upload. A collection of the young generation after every 8 MB
 * (under 1 ms) keeps the process flat and fast instead.
 */
export function droppedBuffers(bytes: number): void {
  pendingBytes += bytes;
  if (pendingBytes < EVERY_BYTES) return;
  pendingBytes = 0;
  if (collect === undefined) {
    setFlagsFromString('--expose-gc'); // only contexts made from now on have it: the server's own does not
    collect = runInNewContext('gc') as Collect;
  }
  collect({ type: 'minor' });
}
