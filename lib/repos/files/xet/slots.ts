import { hubError } from '#lib/base/errors.ts';

/** Bounds how much of something goes on at a time. */
export interface Slots {
  /**
   * Runs `work` when a slot is free. Waits for at most `maxWaitMs` in a queue of at most `maxWaiting`; beyond that
   * throws `overloaded` at once, so that the client comes back later.
   */
  use<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;

  /** As `use`, for work that outlives a call: the slot is held until the returned function is called. */
  hold(signal: AbortSignal): Promise<() => void>;
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

  async function hold(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    await enter(signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = waiting.values().next().value;
      if (next === undefined) free++;
      else next.enter(); // the slot changes hands
    };
  }

  return {
    hold,
    async use(work, signal) {
      const release = await hold(signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
