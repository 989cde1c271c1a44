import { createHash, type Hash } from 'node:crypto';

/** Unfinished uploads of this process whose hash is kept; each costs a few hundred bytes. */
const MAX_KEPT = 10_000;

interface Kept {
  readonly bytes: number;
  readonly hash: Hash;
}

const kept = new Map<string, Kept>();

/**
 * SHA-256 of the first `bytes` of an upload as far as this process received all of them, else null: then the bytes
 * are read back once, when they are complete. node:crypto hashes five times as fast as anything whose state could be
 * written to a row (docs/decisions/0018).
 */
export function liveHash(id: string, bytes: number): Hash | null {
  if (bytes === 0) return createHash('sha256');
  const found = kept.get(id);
  return found?.bytes === bytes ? found.hash.copy() : null;
}

/** Remembers the hash of the first `bytes`; the longest unused are forgotten. */
export function keepHash(id: string, bytes: number, hash: Hash): void {
  kept.delete(id);
  kept.set(id, { bytes, hash: hash.copy() });
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value as string);
}

/** The upload has ended. */
export function forgetHash(id: string): void {
  kept.delete(id);
}
