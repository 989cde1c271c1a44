import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;

const EVERY_BYTES = 16 * 1024 * 1024;

let collect: Collect | undefined;
let pendingBytes = 0;

/**
 * To be told of buffers that were just dropped. V8 sees only the few bytes of each buffer's handle and lets 64 to 128
 * MB of dropped memory pile up per stream of downloads; a collection of the young generation after every 16 MB (about
 * 1 ms) keeps the process flat instead.
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
