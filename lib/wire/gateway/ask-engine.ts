import { Agent, type IncomingMessage, request } from 'node:http';
import { hubError } from '#lib/base/errors.ts';
import type { Target } from '#lib/endpoints/find-target.ts';

/** Engines are on this machine or next to it: sockets are kept, few handshakes, no proxy. */
const pool = new Agent({ keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo' });
/** Without a byte for this long the engine is stuck. */
const SILENCE_MS = 600_000;

/**
 * Sends a JSON body to the engine and resolves with the head of its answer. A kept socket that turns out closed is
 * replaced once; nothing else is retried. Throws not_ready when the engine is not there (any more). `signal`
 * aborts the request, also while the answer streams, and so reaches the engine.
 */
export async function askEngine(
  target: Target,
  path: string,
  body: Buffer,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  try {
    return await send(target, path, body, signal, pool);
  } catch (error) {
    if (signal.aborted) throw error;
    if (!(error instanceof StaleSocket)) throw gone(target, error);
  }
  return send(target, path, body, signal, new Agent()).catch((error: unknown) => {
    throw signal.aborted ? error : gone(target, error);
  });
}

class StaleSocket extends Error {}

function gone(target: Target, cause: unknown) {
  return hubError('not_ready', `${target.model} does not answer at the moment: try again.`, { cause });
}

function send(
  target: Target,
  path: string,
  body: Buffer,
  signal: AbortSignal,
  agent: Agent,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const upstream = request(`${target.url}${path}`, {
      method: 'POST',
      agent,
      signal,
      maxHeaderSize: 16_384,
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        authorization: `Bearer ${target.token}`,
      },
    });
    upstream.setTimeout(SILENCE_MS, () => upstream.destroy(new Error('the engine is silent')));
    upstream.once('response', (answer) => {
      answer.once('close', () => upstream.destroy()); // also when the client went away in the middle
      // 401: the engine of another replica has this port now.
      if (answer.statusCode === 401) reject(new Error('another engine answered'));
      else resolve(answer);
    });
    upstream.once('error', (error: NodeJS.ErrnoException) => {
      const stale = upstream.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(stale ? new StaleSocket() : error);
    });
    upstream.end(body);
  });
}
