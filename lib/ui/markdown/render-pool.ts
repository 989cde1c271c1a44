import { createHash } from 'node:crypto';
import { createThreadPool } from '#lib/base/thread-pool.ts';
import type { MarkdownPlace } from './rewrite-addresses.ts';

/** Text of a stranger to be made HTML. */
export type RenderTask =
  | { readonly kind: 'markdown'; readonly text: string; readonly place: MarkdownPlace }
  | { readonly kind: 'source'; readonly text: string; readonly path: string };

export interface RenderPool {
  /** The task's HTML, or null when it takes too long, too much memory or fails: then show the text as it is. */
  render(task: RenderTask): Promise<string | null>;
}

const HEAP_MB = 256;

/**
 * Threads that render, at most `size` at once, each task for at most `limitMs`. A thread that hangs is ended and
 * replaced; more than 64 waiting tasks are refused at once.
 */
export function createRenderPool(options: { size: number; limitMs: number }): RenderPool {
  const threads = createThreadPool<RenderTask, { html: string | null }>({
    ...options,
    script: new URL('./render-worker.ts', import.meta.url),
    heapMb: HEAP_MB,
  });
  return { render: async (task) => (await threads.run(task))?.html ?? null };
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
