import { createHash, type Hash } from 'node:crypto';

/** Unfinished uploads of this process whose hash is kept; each costs a few hundred bytes, and 40 for each etag. */
const MAX_KEPT = 10_000;

/** The beginning of a file as this process received it. */
export interface LiveHash {
  readonly hash: Hash;
  /** Of the parts that the bytes went into, in their order, where the client names them at the end. */
  readonly etags: readonly string[];
}

interface Kept extends LiveHash {
  readonly bytes: number;
}

const kept = new Map<string, Kept>();

/**
 * SHA-256 of the first `bytes` of an upload as far as this process received all of them one after the other, else null:
 * then the bytes are read back once, when they are complete. node:crypto hashes five times as fast as anything whose
 * state could be written to a row (docs/decisions/0018). Feeding it more changes nothing that is kept.
 */
export function liveHash(id: string, bytes: number): LiveHash | null {
  if (bytes === 0) return { hash: createHash('sha256'), etags: [] };
  const found = kept.get(id);
  return found?.bytes === bytes ? { hash: found.hash.copy(), etags: found.etags } : null;
}

/** Remembers the hash of the first `bytes`; the longest unused are forgotten. */
export function keepHash(id: string, bytes: number, { hash, etags }: LiveHash): void {
  kept.delete(id);
  kept.set(id, { bytes, hash: hash.copy(), etags });
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value as string);
}

/** The upload has ended. */
export function forgetHash(id: string): void {
  kept.delete(id);
}
