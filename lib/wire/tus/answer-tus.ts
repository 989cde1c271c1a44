import { type ErrorCode, hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { repoRefOf } from '../hf/repo-params.ts';
import type { WireRequest } from '../request.ts';
import { sendEmpty, type WireResponse } from '../respond.ts';
import { exchanges, type TusExchange, tusServer } from './tus-server.ts';

/** The one version of the protocol that there is. */
export const TUS_VERSION = '1.0.0';
const OVERRIDES = new Set(['PATCH', 'DELETE', 'HEAD']);
/** What the tus server reads of a request; the rest is not its business. */
const HEADERS = [
  'tus-resumable',
  'upload-offset',
  'upload-length',
  'upload-defer-length',
  'upload-metadata',
  'upload-concat',
  'content-type',
  'content-length',
];
/** Its answers as errors of ours. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  403: 'invalid_input', // a header is missing
  404: 'not_found',
  409: 'offset_conflict',
  410: 'gone',
  413: 'too_large',
  501: 'not_implemented',
};

/** Method that is meant: clients that can only POST say it in a header. */
function methodOf(req: WireRequest): string {
  if (req.method !== 'POST' || req.params.id === undefined) return req.method;
  const meant = req.header('x-http-method-override')?.toUpperCase() ?? '';
  if (OVERRIDES.has(meant)) return meant;
  throw hubError('method_not_allowed', 'POST is not possible here: use HEAD, PATCH or DELETE');
}

/**
 * The request as the tus server takes it, without its body: that goes from the socket into the store without passing
 * through Web streams, which would cost more than a third of the throughput (docs/decisions/0018).
 */
function webRequest(ctx: Ctx, req: WireRequest): Request {
  const headers = new Headers();
  for (const name of HEADERS) {
    const value = req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  return new Request(`${ctx.publicUrl}${req.rawPath}`, { method: methodOf(req), headers });
}

/** Answers one request of the tus protocol; refusals are the hub's own errors. */
export async function answerTus(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const ref = repoRefOf(req);
  await requireRead(ctx, ref);
  res.setHeader('tus-resumable', TUS_VERSION);
  res.setHeader('cache-control', 'no-store');
  if (req.header('tus-resumable') !== TUS_VERSION) {
    res.setHeader('tus-version', TUS_VERSION);
    throw hubError('unsupported_version', `this address speaks tus: send "Tus-Resumable: ${TUS_VERSION}"`);
  }
  const x: TusExchange = { ctx, req, ref, id: req.params.id ?? '' };
  const answer = await exchanges.run(x, () => tusServer.handleWeb(webRequest(ctx, req)));
  if (answer.status >= 400) {
    if (x.error instanceof Error) throw x.error;
    const message = (await answer.text()).trim();
    throw hubError(CODES[answer.status] ?? 'invalid_input', message);
  }
  sendEmpty(res, answer.status, headersOf(x, answer));
}

function headersOf(x: TusExchange, answer: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of ['location', 'upload-offset', 'upload-length']) {
    const value = answer.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  if (x.metadata) headers['upload-metadata'] = x.metadata;
  if (x.sha256) headers['larder-sha256'] = x.sha256;
  else if (x.expiresAt) headers['upload-expires'] = x.expiresAt.toUTCString();
  return headers;
}
