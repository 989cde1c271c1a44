/* oxlint-disable unicorn/require-post-message-target-origin -- a thread's port, not a window */
import { parentPort } from 'node:worker_threads';
import { renderMarkdown } from './render-markdown.ts';
import type { RenderTask } from './render-pool.ts';
import { sourceHtml } from './source-html.ts';

// A thread of its own for text that strangers wrote: whatever it does, the hub goes on answering.
parentPort?.on('message', async (task: RenderTask) => {
  try {
    const html =
      task.kind === 'markdown'
        ? await renderMarkdown(task.text, task.place)
        : await sourceHtml(task.text, task.path);
    parentPort?.postMessage({ html });
  } catch {
    parentPort?.postMessage({ html: null }); // nested too deeply, usually: shown as plain text
  }
});
parentPort?.postMessage('ready');
