import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type WireResponse = ServerResponse;

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
 * Streams `body` after the head. A source that fails after the head was sent destroys the connection: the client
 * sees a broken transfer, never a short "success". Resolves also when the client went away.
 */
export async function sendStream(
  res: WireResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: Readable,
): Promise<void> {
  res.writeHead(status, headers);
  try {
    await pipeline(body, res);
  } catch (error) {
    res.destroy();
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ABORT_ERR') throw error;
  }
}
