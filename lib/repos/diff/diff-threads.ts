import { createThreadPool } from '#lib/base/thread-pool.ts';
import type { Rename } from './find-renames.ts';
import type { TextDiff } from './types.ts';

/** What a thread is asked: the hunks of one pair, the numbers of lines of many, or which of many texts are alike. */
export type DiffTask =
  | {
      readonly kind: 'text';
      readonly before: string;
      readonly after: string;
      readonly context: number;
      readonly withRanges: boolean;
    }
  /** The hunks as git writes them; one character a byte on both sides and in the answer. */
  | { readonly kind: 'unified'; readonly before: string; readonly after: string }
  | { readonly kind: 'count'; readonly pairs: readonly (readonly [before: string, after: string])[] }
  | {
      readonly kind: 'similar';
      readonly removed: ReadonlyMap<string, string>;
      readonly added: ReadonlyMap<string, string>;
    };

export type DiffAnswer =
  | { readonly kind: 'text'; readonly diff: TextDiff }
  | { readonly kind: 'unified'; readonly text: string }
  | {
      readonly kind: 'count';
      readonly counts: readonly (readonly [additions: number, deletions: number])[];
    }
  | { readonly kind: 'similar'; readonly renames: readonly Rename[] };

const threads = createThreadPool<DiffTask, DiffAnswer>({
  script: new URL('./diff-thread.ts', import.meta.url),
  size: 2,
  limitMs: 8_000,
  heapMb: 256,
});

/** What one task gives. */
type AnswerTo<K extends DiffTask['kind']> = Extract<DiffAnswer, { readonly kind: K }>;

/** Runs one task in the process's diff threads; null when it took too long or too much memory. */
export async function inDiffThread<K extends DiffTask['kind']>(
  task: Extract<DiffTask, { readonly kind: K }>,
): Promise<AnswerTo<K> | null> {
  return (await threads.run(task)) as AnswerTo<K> | null;
}
