import type { Hash } from 'node:crypto';

/** A part that grows is recorded at a mark: at most so much before where it is durable. */
const MARK_BYTES = 2 ** 20;

/** Where an upload stands after some byte, and the hash of all up to it. */
export interface Mark {
  readonly receivedBytes: number;
  /** Null when the beginning of the file was not seen by this process. */
  readonly hash: Hash | null;
}

/** Where a part may be recorded while it grows: a hash is known only of places that were marked as they passed. */
export class Marks {
  #marks: Mark[] = [];
  #nextBytes: number;

  constructor(fromBytes: number) {
    this.#nextBytes = fromBytes + MARK_BYTES;
  }

  /** To be called after each chunk; `hash` is copied where it is kept. */
  pass(receivedBytes: number, hash: Hash | null): void {
    if (receivedBytes < this.#nextBytes) return;
    this.#marks.push({ receivedBytes, hash: hash?.copy() ?? null });
    this.#nextBytes = receivedBytes + MARK_BYTES;
  }

  /** The last mark within the first `bytes` of the file, if there is a new one. */
  takeWithin(bytes: number): Mark | undefined {
    const after = this.#marks.findIndex(({ receivedBytes }) => receivedBytes > bytes);
    return this.#marks.splice(0, after < 0 ? this.#marks.length : after).at(-1);
  }
}
