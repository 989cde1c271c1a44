import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type Pieces, piecesOf } from '#lib/storage/pieces.ts';

export type WireResponse = ServerResponse;

/** A piece has at most 2 MiB: who takes less than one in this time reads slower than 7 KB/s, or not at all. */
const STALL_MS = 5 * 60_000;

/**
 * What the wire's HTTP server answers with (`createServer({ ServerResponse: BasedResponse })`): headers in `base`
 * join whatever head is written. Setting them one by one would push every later writeHead onto Node's slow path,
 * which costs a tenth of a small answer.
 */
export class BasedResponse extends ServerResponse<IncomingMessage> {
  base: OutgoingHttpHeaders | undefined;

  override writeHead(status: number, ...rest: unknown[]): this {
    if (this.base === undefined) return super.writeHead(status, ...(rest as []));
    return super.writeHead(status, { ...this.base, ...(rest.at(-1) as OutgoingHttpHeaders | undefined) });
  }
}

/** Sends JSON with its exact length. */
export function sendJson(
  res: WireResponse,
  status: number,
  body: unknown,
  headers?: OutgoingHttpHeaders,
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    ...headers,
  });
  res.end(bytes);
}

/** Sends bytes that are whole in memory; never cached. */
export function sendBytes(res: WireResponse, type: string, bytes: Buffer): void {
  res.writeHead(200, { 'content-type': type, 'content-length': bytes.length, 'cache-control': 'no-store' });
  res.end(bytes);
}

/** Sends a status and headers without a body. */
export function sendEmpty(res: WireResponse, status: number, headers?: OutgoingHttpHeaders): void {
  res.writeHead(status, status === 204 || status === 304 ? headers : { 'content-length': 0, ...headers });
  res.end();
}

/**
 * Sends pieces of bytes after the head; each is handed to the system before the next is asked for. A source that fails
 * after the head was sent destroys the connection: the client sees a broken transfer, never a short "success".
 * Resolves also when the client went away; one that takes less than a piece in `stallMs` is cut off, so that it does
 * not hold buffers and a place in line for ever. Whatever happens, the pieces are ended.
 */
export async function sendPieces(
  res: WireResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  source: Pieces | AsyncGenerator<Buffer>,
  stallMs = STALL_MS,
): Promise<void> {
  const pieces = 'throw' in source ? piecesOf(source) : source;
  const gone = new AbortController();
  const onClose = () => gone.abort();
  res.once('close', onClose);
  try {
    res.writeHead(status, headers);
    for await (const piece of pieces) {
      await written(res, piece, gone.signal, stallMs);
      if (gone.signal.aborted || res.destroyed) return; // the event may be late: it waits for this loop
    }
    res.end();
  } catch (error) {
    res.destroy();
    if (!gone.signal.aborted) throw error;
  } finally {
    res.off('close', onClose);
    await pieces.return();
  }
}

/** Resolves when the system has taken the bytes, or the connection is gone; a client that does not take them in time is. */
function written(res: WireResponse, piece: Buffer, gone: AbortSignal, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted || res.destroyed) return resolve();
    const timer = setTimeout(() => res.destroy(), stallMs);
    const done = () => {
      clearTimeout(timer);
      gone.removeEventListener('abort', done);
      resolve();
    };
    gone.addEventListener('abort', done);
    res.write(piece, done);
  });
}
