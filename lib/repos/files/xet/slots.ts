import { hubError } from '#lib/base/errors.ts';

/** Bounds how much of something goes on at a time. */
export interface Slots {
  /**
   * Runs `work` when a slot is free. Waits for at most `maxWaitMs` in a queue of at most `maxWaiting`; beyond that
   * throws `overloaded` at once, so that the client comes back later.
   */
  use<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

interface Waiter {
  readonly enter: () => void;
}

/** Slots for `limit` at a time. */
export function createSlots(options: {
  limit: number;
  maxWaiting: number;
  maxWaitMs: number;
  what: string;
}): Slots {
  let free = options.limit;
  const waiting = new Set<Waiter>();
  const overloaded = () => hubError('overloaded', `too many ${options.what} at the moment: try again`);

  function enter(signal: AbortSignal): Promise<void> {
    if (free > 0) {
      free--;
      return Promise.resolve();
    }
    if (waiting.size >= options.maxWaiting) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      const leave = (error: unknown) => {
        waiting.delete(waiter);
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = () => leave(signal.reason);
      const waiter = { enter: () => leave(undefined) };
      const timer = setTimeout(() => leave(overloaded()), options.maxWaitMs);
      signal.addEventListener('abort', onAbort);
      waiting.add(waiter);
    });
  }

  return {
    async use(work, signal) {
      signal.throwIfAborted();
      await enter(signal);
      try {
        return await work();
      } finally {
        const next = waiting.values().next().value;
        if (next === undefined) free++;
        else next.enter(); // the slot changes hands
      }
    },
  };
}
