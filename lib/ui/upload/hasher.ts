/* oxlint-disable unicorn/require-post-message-target-origin -- a worker's port, not a window */
import type { HashKind, HashNews, HashOrder } from './hash-worker.ts';

interface Waiting {
  readonly onProgress: (bytes: number) => void;
  readonly resolve: (hash: string) => void;
  readonly reject: (error: Error) => void;
}

/** Hashes files in a worker, so that the page stays quick. The worker starts with the first file. */
export class Hasher {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  /** The hash of a file in hex. Throws when the file cannot be read (any more), when aborted, or without workers. */
  hash(
    file: Blob,
    onProgress: (bytes: number) => void,
    signal: AbortSignal,
    kind: HashKind = 'sha256',
  ): Promise<string> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.waiting.delete(id);
        this.tell({ stop: id });
        reject(new DOMException('stopped', 'AbortError'));
      };
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      const leave = () => signal.removeEventListener('abort', stop);
      this.waiting.set(id, {
        onProgress,
        resolve: (hash) => {
          leave();
          resolve(hash);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      });
      this.tell({ id, file, kind });
    });
  }

  close(): void {
    this.worker?.terminate();
    this.worker = null;
  }

  private tell(order: HashOrder): void {
    this.worker ??= this.start();
    this.worker.postMessage(order);
  }

  private start(): Worker {
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<HashNews>) => {
      const one = this.waiting.get(data.id);
      if (!one) return;
      if ('bytes' in data) return one.onProgress(data.bytes);
      this.waiting.delete(data.id);
      if ('hash' in data) one.resolve(data.hash);
      else one.reject(new Error(data.error));
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      for (const one of this.waiting.values())
        one.reject(new Error(event.message || 'the worker did not start'));
      this.waiting.clear();
      this.close();
    });
    return worker;
  }
}
