/* oxlint-disable unicorn/require-post-message-target-origin -- a thread's port, not a window */
import { parentPort } from 'node:worker_threads';
import { diffText } from './diff-text.ts';
import type { DiffAnswer, DiffTask } from './diff-threads.ts';
import { findSimilar } from './find-renames.ts';
import { formatHunks } from './format-hunks.ts';

/** Each of many pairs gets so long to be aligned; with the limit of the pool they cannot hold a thread for long. */
const COUNT_TIMEOUT_MS = 100;
const TEXT_TIMEOUT_MS = 1_500;

function work(task: DiffTask): DiffAnswer {
  if (task.kind === 'similar') return { kind: 'similar', renames: findSimilar(task.removed, task.added) };
  if (task.kind === 'text') {
    const { before, after, context, withRanges } = task;
    return {
      kind: 'text',
      diff: diffText(before, after, { context, withRanges, timeoutMs: TEXT_TIMEOUT_MS }),
    };
  }
  if (task.kind === 'unified') {
    const options = { context: 3, withRanges: false, timeoutMs: TEXT_TIMEOUT_MS };
    return { kind: 'unified', text: formatHunks(diffText(task.before, task.after, options).hunks) };
  }
  const options = { context: 0, withRanges: false, timeoutMs: COUNT_TIMEOUT_MS };
  const counts = task.pairs.map(([before, after]) => {
    const { additions, deletions } = diffText(before, after, options);
    return [additions, deletions] as const;
  });
  return { kind: 'count', counts };
}

// A thread of its own for texts of strangers: two that take minutes to compare do not stop the hub.
parentPort?.on('message', (task: DiffTask) => parentPort?.postMessage(work(task)));
parentPort?.postMessage('ready');
