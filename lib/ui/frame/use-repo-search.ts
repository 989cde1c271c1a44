'use client';

import { useEffect, useState } from 'react';
import type { RepoType } from '#lib/repos/types.ts';
import { callHub } from '../call-hub.ts';

export interface FoundRepo {
  readonly type: RepoType;
  readonly name: string;
  readonly href: string;
}

type SearchState = 'idle' | 'searching' | 'done' | 'failed';

const PAUSE_MS = 140;
const LIMIT = 6;

async function find(type: RepoType, query: string, signal: AbortSignal): Promise<FoundRepo[]> {
  const found = await callHub<{ id: string }[]>(
    'GET',
    `/api/${type}s?limit=${LIMIT}&search=${encodeURIComponent(query)}`,
    undefined,
    signal,
  );
  return found.map(({ id }) => ({ type, name: id, href: type === 'dataset' ? `/datasets/${id}` : `/${id}` }));
}

interface Answer {
  readonly query: string;
  readonly repos: readonly FoundRepo[];
  readonly failed: boolean;
}

async function findAll(query: string, signal: AbortSignal): Promise<Answer> {
  try {
    const found = await Promise.all([find('model', query, signal), find('dataset', query, signal)]);
    return { query, repos: found.flat(), failed: false };
  } catch {
    return { query, repos: [], failed: true };
  }
}

/** Models and datasets whose name contains `query`, searched when the typing pauses. */
export function useRepoSearch(query: string): { repos: readonly FoundRepo[]; state: SearchState } {
  const [answer, setAnswer] = useState<Answer>({ query: '', repos: [], failed: false });
  const wanted = query.trim();
  useEffect(() => {
    if (wanted === '') return;
    const abort = new AbortController();
    const search = async () => {
      const found = await findAll(wanted, abort.signal);
      if (!abort.signal.aborted) setAnswer(found);
    };
    const timer = setTimeout(() => void search(), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wanted]);
  if (wanted === '') return { repos: [], state: 'idle' };
  if (answer.query !== wanted) return { repos: answer.repos, state: 'searching' };
  return { repos: answer.repos, state: answer.failed ? 'failed' : 'done' };
}
