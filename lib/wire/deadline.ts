import type { IncomingMessage } from 'node:http';
import { hubError, isHubError } from '#lib/base/errors.ts';
import type { WireResponse } from './respond.ts';

/** After the deadline a handler has this long to answer before a body that still comes is cut off. */
const GRACE_MS = 2_000;

export interface Deadline {
  /** Aborts when the client goes away or the time is over; the reason is a HubError. */
  readonly signal: AbortSignal;
  /** Why `error` happened: the reason of the signal when it only tells that something was aborted, else itself. */
  causeOf(error: unknown): unknown;
  /** To be called when the request is over. */
  end(): void;
}

/**
 * Bounds one request: `timeoutMs` for the whole of it (0: none), and for an upload `silenceMs` without a byte of its
 * body. Who reads a body need not watch the signal: a body that is late is broken off, so that neither a slow client
 * nor a stopped one holds a connection, a slot or a temporary file for ever (abuse.md H79).
 */
export function startDeadline(
  req: IncomingMessage,
  res: WireResponse,
  limits: { timeoutMs: number; silenceMs: number },
): Deadline {
  const abort = new AbortController();
  const { signal } = abort;
  const onClose = () => abort.abort(hubError('invalid_input', 'the client closed the connection'));
  res.once('close', onClose);
  let grace: NodeJS.Timeout | undefined;
  const onDeadline = () => {
    abort.abort(hubError('overloaded', 'the request took too long: try again'));
    if (!req.complete) grace = setTimeout(() => req.destroy(signal.reason), GRACE_MS);
  };
  const timer = limits.timeoutMs > 0 ? setTimeout(onDeadline, limits.timeoutMs) : undefined;
  const isPatient = limits.timeoutMs === 0 || limits.timeoutMs > limits.silenceMs;
  const mayUpload = req.method !== 'GET' && req.method !== 'HEAD';
  const stopWatching = isPatient && mayUpload ? watchBody(req, limits.silenceMs) : undefined;
  return {
    signal,
    causeOf: (error) => (signal.aborted && isAbort(error) ? signal.reason : error),
    end() {
      clearTimeout(timer);
      clearTimeout(grace);
      stopWatching?.();
      res.off('close', onClose);
    },
  };
}

/** Breaks off a body of which nothing came between two looks. */
function watchBody(req: IncomingMessage, silenceMs: number): () => void {
  const { socket } = req;
  let seen = socket.bytesRead;
  const timer = setInterval(() => {
    if (req.complete) clearInterval(timer);
    else if (socket.bytesRead === seen)
      req.destroy(hubError('invalid_input', 'the request body stopped coming'));
    seen = socket.bytesRead;
  }, silenceMs);
  return () => clearInterval(timer);
}

const ABORTS = new Set(['ABORT_ERR', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

function isAbort(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: string; code?: string };
  return !isHubError(error) && (name === 'AbortError' || (code !== undefined && ABORTS.has(code)));
}
