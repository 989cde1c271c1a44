import { Refusal } from '../refusal.ts';

/** What the pool needs to know of a llama.cpp sequence. */
export interface PooledSequence<T> {
  readonly contextTokens: readonly T[];
}

interface Waiter<S> {
  take(sequence: S): void;
}

/**
 * Hands out a fixed number of sequences, one per request, first come first served; of several free ones the one
 * whose cache shares the longest beginning with the prompt. More than `maxWaiting` requests in line are refused.
 */
export class SequencePool<T, S extends PooledSequence<T>> {
  readonly #free: S[];
  readonly #waiters: Waiter<S>[] = [];
  readonly #maxWaiting: number;

  constructor(sequences: readonly S[], maxWaiting: number) {
    this.#free = [...sequences];
    this.#maxWaiting = maxWaiting;
  }

  /** Waits for a sequence. Throws Refusal 503 when the line is full, and the signal's reason when it aborts. */
  async acquire(prompt: readonly T[], signal: AbortSignal): Promise<S> {
    signal.throwIfAborted();
    const best = this.#free
      .map((sequence, i) => ({ i, shared: sharedLength(sequence.contextTokens, prompt) }))
      .sort((a, b) => b.shared - a.shared)[0];
    const [sequence] = best ? this.#free.splice(best.i, 1) : [];
    if (sequence) return sequence;
    if (this.#waiters.length >= this.#maxWaiting) {
      throw new Refusal(503, 'overloaded', 'too many requests are waiting for this model: try again', 2);
    }
    return this.#wait(signal);
  }

  /** Gives a sequence back, to the next in line if there is one. */
  release(sequence: S): void {
    const next = this.#waiters.shift();
    if (next) next.take(sequence);
    else this.#free.push(sequence);
  }

  #wait(signal: AbortSignal): Promise<S> {
    return new Promise<S>((resolve, reject) => {
      const waiter: Waiter<S> = {
        take: (sequence) => {
          signal.removeEventListener('abort', leave);
          resolve(sequence);
        },
      };
      const leave = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiters.push(waiter);
    });
  }
}

function sharedLength<T>(a: readonly T[], b: readonly T[]): number {
  const most = Math.min(a.length, b.length);
  let i = 0;
  while (i < most && a[i] === b[i]) i++;
  return i;
}
