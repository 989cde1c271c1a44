import { once } from 'node:events';
import type { WireResponse } from '../respond.ts';

/** A client that takes nothing for so long is gone: it must not hold a process. */
const STALL_MS = 120_000;

const headersOf = (type: string) => ({ 'content-type': type, 'cache-control': 'no-cache' });

/** Sends a short answer with its length. */
export function sendWhole(res: WireResponse, type: string, body: Buffer): void {
  res.writeHead(200, { ...headersOf(type), 'content-length': body.length });
  res.end(body);
}

/**
 * Streams an answer of unknown length. The head is written with the first bytes: an answer that fails before them is
 * refused like any other request, one that fails later breaks the connection.
 */
export async function send(res: WireResponse, type: string, body: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of body) {
    if (!res.headersSent) res.writeHead(200, headersOf(type));
    if (!res.write(chunk)) await drained(res);
  }
  if (!res.headersSent) res.writeHead(200, headersOf(type));
  res.end();
}

async function drained(res: WireResponse): Promise<void> {
  const timer = setTimeout(() => res.destroy(), STALL_MS);
  try {
    await Promise.race([once(res, 'drain'), once(res, 'close')]);
  } finally {
    clearTimeout(timer);
  }
  if (res.destroyed) throw Object.assign(new Error('the client went away'), { code: 'ABORT_ERR' });
}
