import type { IncomingMessage } from 'node:http';
import { type HubError, hubError } from '#lib/base/errors.ts';
import { authenticate } from '#lib/identity/authenticate.ts';
import type { App } from '#lib/identity/context.ts';
import { ANONYMOUS, type Principal } from '#lib/identity/principal.ts';
import { startDeadline } from './deadline.ts';
import { renderError, toHubError } from './errors.ts';
import { checkAccess, clientIp, refuseForeignOrigin, requestIdOf } from './identify.ts';
import { createMatcher, type Matcher } from './match.ts';
import { canBeRedirected, movedAddress } from './moved-address.ts';
import { createPublicUrl } from './public-url.ts';
import { WireRequest } from './request.ts';
import type { BasedResponse, WireResponse } from './respond.ts';
import type { Route } from './route.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
const BODY_SILENCE_MS = 120_000;
const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash,Location,Upload-Offset,Upload-Length,Upload-Metadata,Upload-Expires,Tus-Resumable,Tus-Version,Tus-Extension,Tus-Max-Size,Larder-Sha256';
/** Paths that are the wire's even when no route fits: they answer JSON, never a page. */
const WIRE_ONLY =
  /^\/(?:api\/(?!auth(?:\/|$))|v1(?:\/|$)|xet\/|oauth\/)|^\/endpoints\/[^/]+\/[^/]+\/v1(?:\/|$)|\.git(?:\/|$)/;

/** One request on its way through the wrapper. */
interface Exchange {
  readonly req: IncomingMessage;
  readonly res: WireResponse;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly requestId: string;
  readonly found: ReturnType<Matcher>;
  principal: Principal;
}

function noSuchRoute(rawPath: string): HubError {
  return /^\/api\/(?:models|datasets|spaces|kernels)\//.test(rawPath)
    ? hubError('repo_not_found', 'Repository not found')
    : hubError('not_found', 'there is nothing at this address');
}

/** Everything between the match and the handler, in the one order there is, then the handler. */
async function run(app: App, x: Exchange, publicUrl: string, signal: AbortSignal): Promise<void> {
  const { req, res, found } = x;
  const access = found?.kind === 'route' ? found.route.meta.access : undefined;
  if (access !== undefined && access !== 'signedUrl' && access !== 'xetToken') {
    const { authorization, cookie } = req.headers;
    x.principal = await authenticate(app, { authorization, cookie });
  }
  if (found?.kind === 'method') {
    const allow = [...new Set(found.allow)];
    res.setHeader('allow', allow.join(', '));
    throw hubError('method_not_allowed', `${req.method} is not possible here: use ${allow.join(' or ')}`);
  }
  if (found === null) throw noSuchRoute(x.rawPath);
  refuseForeignOrigin(req, x.principal, publicUrl);
  checkAccess(found.route, x.principal, req.method ?? 'GET');
  const ip = clientIp(req, app.config.LARDER_TRUSTED_PROXIES);
  const redirectsMoved = canBeRedirected(found.route, req.method ?? 'GET');
  const ctx = {
    ...app,
    principal: x.principal,
    requestId: x.requestId,
    ip,
    signal,
    publicUrl,
    redirectsMoved,
  };
  await found.route.handler(ctx, new WireRequest(req, x.rawPath, x.rawQuery, found.params), res);
}

/** Turns what was thrown into an answer, or breaks the connection when an answer has begun. */
function refuse(x: Exchange, failure: HubError): void {
  const { req, res, found } = x;
  if (res.headersSent) {
    if (!res.writableEnded) res.destroy();
    return;
  }
  const protocol = (found?.kind === 'route' ? found.route.meta.protocol : undefined) ?? 'hub';
  if (failure.code === 'moved') res.setHeader('location', movedAddress(x.rawPath, x.rawQuery, failure));
  const rendered = renderError(protocol, failure, x.principal, x.requestId);
  // What was not read of the body would be taken for the next request: close after refusing an upload.
  if (!req.complete) res.setHeader('connection', 'close');
  res.writeHead(rendered.status, rendered.headers);
  res.end(req.method === 'HEAD' ? undefined : rendered.body);
}

function writeLog(app: App, x: Exchange, startedMs: number, failure: HubError | undefined): void {
  const fields = {
    operation: x.found?.kind === 'route' ? x.found.route.meta.operation : 'none',
    method: x.req.method,
    status: x.res.statusCode,
    ms: app.clock.now() - startedMs,
    requestId: x.requestId,
    user: x.principal.kind === 'user' ? x.principal.name : undefined,
  };
  if (failure?.code === 'internal')
    app.log.error({ ...fields, err: failure.cause ?? failure }, 'request failed');
  else if (failure)
    app.log.info({ ...fields, code: failure.code, why: failure.internal ?? failure.message }, 'refused');
  else app.log.debug(fields, 'answered');
}

function answerPreflight(req: IncomingMessage, res: WireResponse, route: Route | undefined): void {
  res.writeHead(204, {
    ...route?.meta.options,
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers':
      req.headers['access-control-request-headers'] ?? 'Authorization, Content-Type, Range',
    'access-control-max-age': '86400',
  });
  res.end();
}

/**
 * Makes the wire: answers what a route fits and returns true, or returns false and leaves the request to the
 * pages. The order of checks is fixed here and nowhere else: request id, path, principal, origin, scope, deadline,
 * handler, error mapping, log. Never throws for what a client sent. A body that does not come on for `silenceMs`
 * ends its connection.
 */
export function createDispatcher(
  app: App,
  routes: readonly Route[],
  { silenceMs = BODY_SILENCE_MS }: { silenceMs?: number } = {},
) {
  const match = createMatcher(routes);
  const publicUrlOf = createPublicUrl(app.config);

  return async function dispatch(req: IncomingMessage, res: BasedResponse): Promise<boolean> {
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    const rawPath = mark < 0 ? url : url.slice(0, mark);
    const preflight = req.method === 'OPTIONS';
    const method = preflight
      ? (req.headers['access-control-request-method'] ?? 'OPTIONS')
      : (req.method ?? 'GET');
    let found: ReturnType<Matcher> = null;
    let failure: HubError | undefined;
    try {
      found = match(method, rawPath);
    } catch (error) {
      failure = toHubError(error);
    }
    if (found === null && failure === undefined && !WIRE_ONLY.test(rawPath)) return false;

    const requestId = requestIdOf(req);
    res.base = { 'x-request-id': requestId, 'x-content-type-options': 'nosniff' };
    if (req.headers.origin !== undefined) {
      res.base['access-control-allow-origin'] = '*';
      res.base['access-control-expose-headers'] = EXPOSED;
    }
    if (preflight) {
      answerPreflight(req, res, found?.route);
      return true;
    }

    const startedMs = app.clock.now();
    const rawQuery = mark < 0 ? '' : url.slice(mark + 1);
    const x: Exchange = { req, res, rawPath, rawQuery, requestId, found, principal: ANONYMOUS };
    const timeoutMs =
      (found?.kind === 'route' ? found.route.meta.timeoutMs : undefined) ?? DEFAULT_TIMEOUT_MS;
    const deadline = startDeadline(req, res, { timeoutMs, silenceMs });
    try {
      if (failure) throw failure;
      await run(app, x, publicUrlOf(req), deadline.signal);
    } catch (error) {
      failure = toHubError(deadline.causeOf(error));
      refuse(x, failure);
    } finally {
      deadline.end();
    }
    writeLog(app, x, startedMs, failure);
    return true;
  };
}
