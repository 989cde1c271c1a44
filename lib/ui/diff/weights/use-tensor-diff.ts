'use client';

import { useEffect, useState } from 'react';
import type { ModelDiff } from '#lib/catalog/diff/diff-tensors.ts';
import { CallError, callHub } from '../../call-hub.ts';

export interface TensorAnswer {
  readonly models: readonly ModelDiff[];
  readonly isComplete: boolean;
}

const FIRST_WAIT_MS = 800;
const LONGEST_WAIT_MS = 10_000;

/** The tensor diff of a comparison, asked for again, less and less often, until nothing is left to compute. */
export function useTensorDiff(address: string): {
  readonly answer: TensorAnswer | null;
  readonly failure: string | null;
} {
  const [answer, setAnswer] = useState<TensorAnswer | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (waitMs: number): Promise<void> => {
      try {
        const found = await callHub<TensorAnswer>('GET', address, undefined, abort.signal);
        setAnswer(found);
        setFailure(null);
        if (found.models.every((model) => model.invalid !== null || model.state === 'ready')) return;
      } catch (error) {
        if (abort.signal.aborted) return;
        setFailure(error instanceof CallError ? error.message : String(error));
      }
      timer = setTimeout(() => void ask(Math.min(waitMs * 1.5, LONGEST_WAIT_MS)), waitMs);
    };
    void ask(FIRST_WAIT_MS);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [address]);
  return { answer, failure };
}
