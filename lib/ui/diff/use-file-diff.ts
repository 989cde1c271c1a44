'use client';

import type { ChangedFile, FileDiff } from '#lib/repos/diff/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { comparisonApi } from '../addresses.ts';
import { type Answer, useAnswer } from './use-answer.ts';

/** Unchanged lines around each change, as git shows them. */
export const DEFAULT_CONTEXT = 3;

/** Query that names a file of a comparison. */
export function fileQuery(file: ChangedFile): URLSearchParams {
  const query = new URLSearchParams({ path: file.path });
  if (file.oldPath !== null) query.set('oldPath', file.oldPath);
  return query;
}

/** The diff of a file, fetched when it is wanted and not there yet; `context` lines around each change. */
export function useFileDiff(options: {
  repo: RepoRef;
  range: string;
  file: ChangedFile;
  initial: FileDiff | undefined;
  isWanted: boolean;
  context: number;
}): Answer<FileDiff> & { readonly retry: () => void } {
  const { repo, range, file, initial, isWanted, context } = options;
  const query = fileQuery(file);
  query.set('context', String(context));
  const isHere = initial !== undefined && context === DEFAULT_CONTEXT;
  const address = `${comparisonApi(repo, 'diff-file', range)}?${query}`;
  const answer = useAnswer<FileDiff>(address, isWanted && !isHere);
  return isHere ? { state: 'loaded', value: initial, retry: answer.retry } : answer;
}
