import { createThreadPool } from '#lib/base/thread-pool.ts';
import type { VocabularyDiff } from './diff-vocabulary.ts';

export interface VocabularyTask {
  readonly path: string;
  /** Bytes of the file; null on the side where it is not. */
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

export type VocabularyAnswer = { readonly diff: VocabularyDiff } | { readonly invalid: string };

/** One at a time: each may hold two files of 50 MB and what they become. */
const threads = createThreadPool<VocabularyTask, VocabularyAnswer>({
  script: new URL('./vocabulary-thread.ts', import.meta.url),
  size: 1,
  limitMs: 20_000,
  heapMb: 1_024,
});

/** Compares two vocabularies in a thread; null when that took too long or too much memory. */
export function inVocabularyThread(task: VocabularyTask): Promise<VocabularyAnswer | null> {
  return threads.run(task);
}
