'use client';

import { useEffect, useState } from 'react';
import { CallError, callHub } from '../call-hub.ts';

export type Answer<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'loaded'; readonly value: T }
  | { readonly state: 'failed'; readonly message: string };

/** What the hub answers at an address, fetched once it is wanted; `retry` asks again. */
export function useAnswer<T>(address: string, isWanted: boolean): Answer<T> & { readonly retry: () => void } {
  const [attempt, setAttempt] = useState(0);
  const [known, setKnown] = useState<{ key: string; answer: Answer<T> } | null>(null);
  const key = `${attempt} ${address}`;
  const isDone = known?.key === key;
  useEffect(() => {
    if (!isWanted || isDone) return;
    const abort = new AbortController();
    const give = (answer: Answer<T>) => setKnown({ key, answer });
    callHub<T>('GET', address, undefined, abort.signal).then(
      (value) => give({ state: 'loaded', value }),
      (error: unknown) => {
        if (!abort.signal.aborted)
          give({ state: 'failed', message: error instanceof CallError ? error.message : String(error) });
      },
    );
    return () => abort.abort();
  }, [isWanted, isDone, address, key]);
  const retry = () => setAttempt((was) => was + 1);
  return known !== null && isDone ? { ...known.answer, retry } : { state: 'loading', retry };
}
