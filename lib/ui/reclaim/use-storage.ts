'use client';

import { useEffect, useState } from 'react';
import { toast } from 'sonner';
import { CallError, callHub } from '../call-hub.ts';
import { useTranslator } from '../reader.tsx';
import type { StorageLine } from './storage-line.ts';

const POLL_MS = 1500;

/**
 * The storage as it is now: asked for again while a run is at work or was just ordered. `order` lets a worker begin one.
 */
export function useStorage(initial: StorageLine) {
  const t = useTranslator();
  const [storage, setStorage] = useState(initial);
  const [orderedAfter, setOrderedAfter] = useState<number | null>(null);
  const lastId = storage.runs[0]?.id ?? 0;
  const isWaiting = orderedAfter !== null && lastId <= orderedAfter;
  const isRunning = storage.runs[0]?.state === 'running';
  useEffect(() => {
    if (!isWaiting && !isRunning) return;
    const stop = new AbortController();
    const ask = () =>
      callHub<StorageLine>('GET', '/api/admin/storage', undefined, stop.signal)
        .then(setStorage)
        .catch(() => {}); // asked again in a moment
    const timer = setInterval(() => void ask(), POLL_MS);
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [isWaiting, isRunning]);
  const order = async (run: { isDry: boolean; isForced: boolean }) => {
    try {
      await callHub('POST', '/api/admin/storage/reclaim', run);
      setOrderedAfter(lastId);
      toast.success(t('reclaim.asked'));
    } catch (error) {
      toast.error((error instanceof CallError && error.message) || t('words.requestFailed'));
    }
  };
  return { storage, order, isBusy: isWaiting || isRunning };
}
