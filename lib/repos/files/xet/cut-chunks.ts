import { Hasher } from 'gearhash-jit';
import { MAX_CHUNK_BYTES } from './chunk-records.ts';

const MIN_CHUNK_BYTES = 8192;
/** The hash looks back 64 bytes: what is further before the smallest chunk's end cannot matter. */
const SKIPPED_BYTES = MIN_CHUNK_BYTES - 64 - 1;
const MASK = 0xffff000000000000n;

const gear = new Hasher(MASK); // of this thread; reset at every chunk

/**
 * Where the chunks that begin at the start of `bytes` end: cut by content, 64 KiB on average, 8 KiB to 128 KiB. Unless
 * the bytes are the last of a file, what is left after the last cut belongs to a chunk that is not whole yet. About
 * 1 GB/s of one core: run it in a worker thread. Specification: docs/xet/chunking of the Hugging Face Hub documentation.
 */
export function cutChunks(bytes: Uint8Array, isLast: boolean): number[] {
  const ends: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    const most = start + MAX_CHUNK_BYTES;
    const limit = Math.min(most, bytes.length);
    let cut = limit;
    let isWhole = limit === most || isLast;
    gear.resetHash();
    for (let at = Math.min(start + SKIPPED_BYTES, limit); at < limit; ) {
      const match = gear.nextMatch(bytes.subarray(at, limit));
      if (match < 0) break;
      at += match;
      if (at - start < MIN_CHUNK_BYTES) continue;
      cut = at;
      isWhole = true;
      break;
    }
    if (!isWhole) break;
    ends.push(cut);
    start = cut;
  }
  return ends;
}
