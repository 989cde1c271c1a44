import { pipeline, type Readable } from 'node:stream';
import { exactLength, LengthMismatch } from './exact-length.ts';
import { storeFailure } from './s3-client.ts';

/**
 * Sends a body of exactly `sizeBytes` without holding it in memory. The request is cut off, so that the store
 * keeps nothing, as soon as the body is longer, ends early, breaks or is aborted; that cause is what is thrown.
 */
export async function sendBody<T>(
  body: Readable | Uint8Array,
  sizeBytes: number,
  signal: AbortSignal | undefined,
  send: (body: Readable | Uint8Array, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  if (body instanceof Uint8Array) {
    if (body.length !== sizeBytes) throw new LengthMismatch(sizeBytes, body.length, body.length < sizeBytes);
    return send(body, signal ?? new AbortController().signal).catch((error) => {
      throw storeFailure(error);
    });
  }
  const cut = new AbortController();
  let cause: Error | undefined;
  const stop = (reason: Error) => {
    cause ??= reason;
    cut.abort(reason);
    body.destroy();
  };
  const onAbort = () => stop(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal?.addEventListener('abort', onAbort, { once: true });
  const exact = exactLength(sizeBytes);
  const piped = pipeline(body, exact, (error) => {
    if (error) stop(error);
  });
  try {
    return await send(piped, cut.signal);
  } catch (error) {
    throw cause ?? storeFailure(error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (!exact.destroyed) exact.destroy();
  }
}
