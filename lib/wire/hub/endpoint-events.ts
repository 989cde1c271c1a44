import { once } from 'node:events';
import type { Watched } from '#lib/endpoints/watch-endpoint.ts';
import type { WireResponse } from '../respond.ts';

const PING_MS = 15_000;
const open = new Set<WireResponse>();

/** Ends all streams of events in order, when the process stops: browsers come back to whoever answers next. */
export function endWatched(): void {
  for (const res of open) res.end();
}

/**
 * Sends what is watched as server-sent events until it ends or the client leaves. What fails before the first
 * item is thrown, so that it becomes an ordinary error answer. Events of the timeline and the log carry their id,
 * from which EventSource resumes by itself.
 */
export async function sendWatched(
  res: WireResponse,
  watched: AsyncGenerator<Watched>,
  signal: AbortSignal,
): Promise<void> {
  let next = await watched.next();
  res.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  open.add(res);
  const ping = setInterval(() => res.writableEnded || res.write(': ping\n\n'), PING_MS);
  try {
    while (!next.done && !res.writableEnded) {
      if (!res.write(format(next.value))) await once(res, 'drain', { signal });
      next = await watched.next();
    }
  } catch (error) {
    if (!signal.aborted) throw error; // the client has left: nobody to tell
  } finally {
    clearInterval(ping);
    open.delete(res);
    await watched.return(undefined);
    res.end();
  }
}

function format(item: Watched): string {
  if (item.kind === 'endpoint') return `event: endpoint\ndata: ${JSON.stringify(item.endpoint)}\n\n`;
  if (item.kind === 'deleted') return 'event: deleted\ndata: {}\n\n';
  const { event } = item;
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}
