import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { MarkdownPlace } from './rewrite-addresses.ts';

/** Text of a stranger to be made HTML. */
export type RenderTask =
  | { readonly kind: 'markdown'; readonly text: string; readonly place: MarkdownPlace }
  | { readonly kind: 'source'; readonly text: string; readonly path: string };

interface Waiting {
  readonly task: RenderTask;
  readonly finish: (html: string | null) => void;
}

export interface RenderPool {
  /** The task's HTML, or null when it takes too long, too much memory or fails: then show the text as it is. */
  render(task: RenderTask): Promise<string | null>;
}

const MAX_WAITING = 64;
const HEAP_MB = 256;
const START_LIMIT_MS = 30_000;

/** The worker's next message, or null when it dies before or `limitMs` pass. */
function answerOf<T>(worker: Worker, limitMs: number): Promise<T | null> {
  return new Promise((resolve) => {
    // Its own listeners are taken off one by one: removeAllListeners would also cut what Worker needs to deliver.
    const finish = (answer: T | null) => {
      clearTimeout(timer);
      worker.off('message', finish).off('error', onEnd).off('exit', onEnd);
      resolve(answer);
    };
    const onEnd = () => finish(null);
    const timer = setTimeout(onEnd, limitMs);
    worker.on('message', finish).on('error', onEnd).on('exit', onEnd);
  });
}

/** A worker that has loaded everything and waits, or null. */
async function startWorker(): Promise<Worker | null> {
  const worker = new Worker(new URL('./render-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  worker.on('error', () => {}); // out of memory: answerOf sees the end
  worker.unref();
  if ((await answerOf<string>(worker, START_LIMIT_MS)) === 'ready') return worker;
  void worker.terminate();
  return null;
}

/**
 * Threads that render, at most `size` at once, each task for at most `limitMs`. A thread that hangs is ended and
 * replaced; more than 64 waiting tasks are refused at once.
 */
export function createRenderPool(options: { size: number; limitMs: number }): RenderPool {
  const waiting: Waiting[] = [];
  const idle: Worker[] = [];
  let running = 0;

  async function work(): Promise<void> {
    running++;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const worker = idle.pop() ?? (await startWorker());
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
      worker?.postMessage(next.task);
      const answer = worker && (await answerOf<{ html: string | null }>(worker, options.limitMs));
      if (worker && answer) idle.push(worker);
      else void worker?.terminate();
      next.finish(answer?.html ?? null);
    }
    running--;
  }

  return {
    render: (task) =>
      new Promise((finish) => {
        if (waiting.length >= MAX_WAITING) return finish(null);
        waiting.push({ task, finish });
        if (running < options.size) void work();
      }),
  };
}

const CACHE_CHARS = 24_000_000;
const cache = new Map<string, string | null>();
let cachedChars = 0;
const pool = createRenderPool({ size: 2, limitMs: 8_000 });

function keyOf(task: RenderTask): string {
  return createHash('sha256').update(JSON.stringify(task)).digest('base64');
}

function remember(key: string, html: string | null): void {
  cache.set(key, html);
  cachedChars += key.length + (html?.length ?? 0);
  for (const [oldest, text] of cache) {
    if (cachedChars <= CACHE_CHARS) break;
    cache.delete(oldest);
    cachedChars -= oldest.length + (text?.length ?? 0);
  }
}

/** Renders through the process's pool; answers, refusals too, are remembered (at most 24 million characters). */
export async function render(task: RenderTask): Promise<string | null> {
  const key = keyOf(task);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const html = await pool.render(task);
  if (!cache.has(key)) remember(key, html);
  return html;
}
