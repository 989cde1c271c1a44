import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Refusal } from './refusal.ts';

export interface EngineServerOptions {
  readonly replicaId: string;
  /** Every caller must send it: a port that changed hands never answers for another endpoint. */
  readonly token: string;
  readonly isReady: () => boolean;
  /** Serves a POST; throws Refusal for what it will not do. Its path is one of `paths`. */
  readonly serve: (path: string, body: string, res: ServerResponse, signal: AbortSignal) => Promise<void>;
  readonly paths: ReadonlySet<string>;
  readonly modelName: string;
}

/** More than the gateway lets through, so that its limit is the one clients see. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * The HTTP side of an engine, the same whatever computes: bearer token, `/health` (503 until ready), OpenAI error
 * JSON, bounded bodies, an abort signal that fires when the caller goes away. Never logs a body.
 */
export function createEngineServer(options: EngineServerOptions): Server {
  const expected = Buffer.from(`Bearer ${options.token}`);
  return createServer({ keepAliveTimeout: 65_000 }, (req, res) => {
    const abort = new AbortController();
    res.once('close', () => abort.abort(new Error('the caller closed the connection')));
    handle(req, res, options, expected, abort.signal).catch((error: unknown) => {
      if (abort.signal.aborted) return;
      if (res.headersSent) return void res.destroy();
      sendError(res, error);
    });
  });
}

async function handle(
  req: IncomingMessage,
  res: ServerResponse,
  options: EngineServerOptions,
  expected: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const given = Buffer.from(req.headers.authorization ?? '');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Refusal(401, 'unauthenticated', 'this engine serves its hub only');
  }
  const path = (req.url ?? '').split('?', 1)[0] ?? '';
  if (req.method === 'GET' && path === '/health') {
    const ready = options.isReady();
    return sendJson(res, ready ? 200 : 503, {
      status: ready ? 'ok' : 'loading',
      replica: options.replicaId,
    });
  }
  if (req.method === 'GET' && path === '/v1/models') {
    return sendJson(res, 200, { object: 'list', data: [{ id: options.modelName, object: 'model' }] });
  }
  if (req.method !== 'POST' || !options.paths.has(path)) {
    throw new Refusal(404, 'not_found', `this engine has no ${req.method} ${path}`);
  }
  if (!options.isReady()) throw new Refusal(503, 'not_ready', 'the model is still loading', 2);
  await options.serve(path, await readBody(req), res, signal);
}

async function readBody(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let total = 0;
  for await (const part of req as AsyncIterable<Buffer>) {
    total += part.length;
    if (total > MAX_BODY_BYTES) throw new Refusal(413, 'too_large', 'the request body is too large');
    parts.push(part);
  }
  return Buffer.concat(parts, total).toString('utf8');
}

function sendError(res: ServerResponse, error: unknown): void {
  const refusal =
    error instanceof Refusal ? error : new Refusal(500, 'engine_error', 'the engine failed on this request');
  if (!(error instanceof Refusal)) console.log(`error: ${(error as Error)?.stack ?? String(error)}`);
  if (refusal.retryAfterSeconds !== undefined) res.setHeader('retry-after', refusal.retryAfterSeconds);
  const type = refusal.status >= 500 ? 'server_error' : 'invalid_request_error';
  sendJson(res, refusal.status, {
    error: { message: refusal.message, type, param: null, code: refusal.code },
  });
}

function sendJson(res: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}
