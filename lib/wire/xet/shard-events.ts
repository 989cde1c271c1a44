import type { ShardProgress } from '#lib/repos/files/xet/put-shard.ts';
import { toHubError } from '../errors.ts';
import type { WireResponse } from '../respond.ts';

/** Clients give up after 300 s of silence; proxies much earlier. */
const REPEAT_MS = 8_000;

export interface ShardEvents {
  /** Sends the head with the first event; later ones at most a few times a second. */
  progress(event: ShardProgress): void;
  succeed(): void;
  /** The terminal frame for an error after the head was sent; before it, nothing: the error becomes a status. */
  fail(error: unknown): void;
}

function frameOf(event: ShardProgress): object {
  return event.stage === 'committing'
    ? { type: 'committing', stage: 'syncing' }
    : { type: 'validating', verified: event.verifiedBytes, total: event.totalBytes };
}

/** The event stream of POST /v2/shards: NDJSON frames, the last one repeated while nothing happens (xet.md §1.4). */
export function createShardEvents(res: WireResponse): ShardEvents {
  let last: ShardProgress | undefined;
  let sentMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const write = (frame: object) => {
    sentMs = performance.now();
    res.write(`${JSON.stringify(frame)}\n`);
  };
  const end = (frame: object) => {
    clearInterval(timer);
    res.end(`${JSON.stringify(frame)}\n`);
  };
  res.once('close', () => clearInterval(timer));
  return {
    progress(event) {
      const isNews = event.stage !== last?.stage;
      last = event;
      if (!res.headersSent) {
        res.writeHead(200, {
          'content-type': 'application/x-ndjson',
          'cache-control': 'no-cache',
          'x-accel-buffering': 'no',
        });
        timer = setInterval(() => last && write(frameOf(last)), REPEAT_MS);
      }
      if (isNews || performance.now() - sentMs > 500) write(frameOf(event));
    },
    succeed: () => end({ type: 'result', result: 1 }),
    fail(error) {
      clearInterval(timer);
      if (!res.headersSent) return;
      const refusal = toHubError(error);
      const isPassing = refusal.status >= 500 || refusal.code === 'busy';
      end({ type: 'error', message: refusal.message, retryable: isPassing });
    },
  };
}
