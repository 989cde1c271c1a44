/* oxlint-disable unicorn/require-post-message-target-origin -- a thread's port, not a window */
import { parentPort } from 'node:worker_threads';
import { diffVocabulary, parseVocabulary } from './diff-vocabulary.ts';
import type { VocabularyAnswer, VocabularyTask } from './vocabulary-threads.ts';

function work({ path, before, after }: VocabularyTask): VocabularyAnswer {
  const read = (bytes: Uint8Array | null) =>
    parseVocabulary(path, bytes === null ? '' : Buffer.from(bytes).toString('utf8'));
  try {
    return { diff: diffVocabulary(read(before), read(after)) };
  } catch (error) {
    return { invalid: error instanceof Error ? error.message.slice(0, 300) : 'unreadable' };
  }
}

// A thread of its own: a vocabulary of 50 MB, or one made to be slow, does not stop the hub.
parentPort?.on('message', (task: VocabularyTask) => parentPort?.postMessage(work(task)));
parentPort?.postMessage('ready');
