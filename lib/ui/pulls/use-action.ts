'use client';

import { useRouter } from 'next/navigation';
import { useState, useTransition } from 'react';
import { CallError } from '../call-hub.ts';
import { useTranslator } from '../reader.tsx';

interface Action {
  readonly busy: boolean;
  /** What the hub said no to, in words to show. */
  readonly error: string | null;
  /** Runs `work` and then shows the page anew; true when it succeeded. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** Something done by a press of a button, after which the page is other than before. */
export function useAction(): Action {
  const [t, router] = [useTranslator(), useRouter()];
  const [busy, setBusy] = useState(false);
  const [refreshing, startTransition] = useTransition();
  const [error, setError] = useState<string | null>(null);
  const run = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
      startTransition(() => router.refresh());
      return true;
    } catch (failure) {
      setError((failure instanceof CallError && failure.message) || t('words.requestFailed'));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy: busy || refreshing, error, run };
}
