const waiting = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * Runs `work` once for all who ask for the same `key` of `owner` before it has begun: at the end of this turn of
 * the event loop. Nobody gets an answer that was read before they asked, unlike with a cache. Callers share the
 * result and must not change it; a failure is everyone's.
 */
export function shareInTick<T>(owner: object, key: string, work: () => Promise<T>): Promise<T> {
  let keys = waiting.get(owner);
  if (keys === undefined) waiting.set(owner, (keys = new Map()));
  const there = keys.get(key) as Promise<T> | undefined;
  if (there !== undefined) return there;
  const mine = keys;
  const begun = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
    mine.delete(key);
    return work();
  });
  keys.set(key, begun);
  return begun;
}
