'use client';

import { useEffect, useState } from 'react';
import type { ChangedFile, FileDiff } from '#lib/repos/diff/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { comparisonApi } from '../addresses.ts';
import { CallError, callHub } from '../call-hub.ts';

export type LoadedDiff =
  | { readonly state: 'loading' }
  | { readonly state: 'loaded'; readonly diff: FileDiff }
  | { readonly state: 'failed'; readonly message: string };

/** The diff of a file, fetched when it is wanted and not there yet; `context` lines around each change. */
export function useFileDiff(options: {
  repo: RepoRef;
  range: string;
  file: ChangedFile;
  initial: FileDiff | undefined;
  isWanted: boolean;
  context: number;
}): LoadedDiff & { readonly retry: () => void } {
  const { repo, range, file, initial, isWanted, context } = options;
  const [attempt, setAttempt] = useState(0);
  const [loaded, setLoaded] = useState<{ key: string; diff: LoadedDiff } | null>(null);
  const query = new URLSearchParams({ path: file.path, context: String(context) });
  if (file.oldPath !== null) query.set('oldPath', file.oldPath);
  const address = `${comparisonApi(repo, 'diff-file', range)}?${query}`;
  const isHere = initial !== undefined && context === DEFAULT_CONTEXT;
  const key = `${attempt} ${address}`;
  const isDone = loaded?.key === key;
  useEffect(() => {
    if (!isWanted || isHere || isDone) return;
    const abort = new AbortController();
    const give = (diff: LoadedDiff) => setLoaded({ key, diff });
    callHub<FileDiff>('GET', address, undefined, abort.signal).then(
      (diff) => give({ state: 'loaded', diff }),
      (error: unknown) => {
        if (!abort.signal.aborted)
          give({ state: 'failed', message: error instanceof CallError ? error.message : String(error) });
      },
    );
    return () => abort.abort();
  }, [isWanted, isHere, isDone, address, key]);
  const retry = () => setAttempt((was) => was + 1);
  if (isHere) return { state: 'loaded', diff: initial, retry };
  return loaded?.key === key ? { ...loaded.diff, retry } : { state: 'loading', retry };
}

/** Unchanged lines around each change, as git shows them. */
export const DEFAULT_CONTEXT = 3;
