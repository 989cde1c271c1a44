import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type HubError, hubError } from '#lib/base/errors.ts';
import { authenticate } from '#lib/identity/authenticate.ts';
import type { App, Ctx } from '#lib/identity/context.ts';
import { ANONYMOUS, type Principal } from '#lib/identity/principal.ts';
import { renderError, toHubError } from './errors.ts';
import { createMatcher } from './match.ts';
import { createPublicUrl } from './public-url.ts';
import { WireRequest } from './request.ts';
import type { WireResponse } from './respond.ts';
import type { Route } from './route.ts';

const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Paths that are the wire's even when no route fits: they answer JSON, never a page. */
const WIRE_ONLY =
  /^\/(?:api\/(?!auth(?:\/|$))|v1(?:\/|$)|xet\/|oauth\/)|^\/endpoints\/[^/]+\/[^/]+\/v1(?:\/|$)|\.git(?:\/|$)/;

/** Echo, or contain the trace id, or make one (hf-api §0.2). */
function requestIdOf(req: IncomingMessage): string {
  const own = req.headers['x-request-id'];
  if (typeof own === 'string' && /^[\x21-\x7e]{1,200}$/.test(own)) return own;
  const trace = req.headers['x-amzn-trace-id'];
  const id = randomUUID();
  return typeof trace === 'string' && /^[\x21-\x7e]{1,200}$/.test(trace) ? `${id};${trace}` : id;
}

/** The client's address: the socket's, or what the nearest trusted proxy wrote. */
function clientIp(req: IncomingMessage, trustedProxies: number): string | null {
  if (trustedProxies > 0) {
    const hops = String(req.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((h) => h.trim())
      .filter(Boolean);
    const hop = hops[hops.length - trustedProxies];
    if (hop) return hop;
  }
  return req.socket.remoteAddress ?? null;
}

/** A browser sends cookies along with a foreign page's request: mutations by session must come from our own pages. */
function refuseForeignOrigin(req: IncomingMessage, principal: Principal, publicUrl: string): void {
  if (principal.kind !== 'user' || principal.via !== 'session' || SAFE.has(req.method ?? '')) return;
  const origin = req.headers.origin;
  const same =
    origin === undefined
      ? req.headers['sec-fetch-site'] === 'same-origin'
      : origin === new URL(publicUrl).origin;
  if (!same) throw hubError('forbidden', 'this request does not come from a page of this hub');
}

function checkAccess(route: Route, principal: Principal, method: string): void {
  const { access } = route.meta;
  if (access === 'signedUrl' || access === 'xetToken') return;
  if (access !== 'public' && access !== 'repo.read' && principal.kind === 'anonymous') {
    if (access === 'user' || access === 'admin')
      throw hubError('unauthenticated', 'Invalid username or password.');
  }
  if (access === 'admin' && !(principal.kind === 'user' && principal.isAdmin)) {
    throw hubError('forbidden', 'only administrators of this hub may do this');
  }
  const scope = route.meta.scope ?? (SAFE.has(method) ? 'read' : 'write');
  if (scope === 'write' && principal.kind === 'user' && principal.token?.role === 'read') {
    throw hubError('forbidden', 'Forbidden: you must use a write token to upload to a repository.');
  }
}

/**
 * Makes the wire: answers what a route fits and returns true, or returns false and leaves the request to the
 * pages. The order of checks is fixed here and nowhere else: request id, path, principal, origin, scope, deadline,
 * handler, error mapping, log.
 */
export function createDispatcher(app: App, routes: readonly Route[]) {
  const match = createMatcher(routes);
  const publicUrlOf = createPublicUrl(app.config);

  return async function dispatch(req: IncomingMessage, res: WireResponse): Promise<boolean> {
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    const rawPath = mark < 0 ? url : url.slice(0, mark);
    let found: ReturnType<typeof match>;
    let early: HubError | undefined;
    try {
      found = match(
        req.method === 'OPTIONS'
          ? (req.headers['access-control-request-method'] ?? 'GET')
          : (req.method ?? 'GET'),
        rawPath,
      );
    } catch (error) {
      found = null;
      early = toHubError(error);
    }
    if (!early && (found === null || found.kind === 'method') && !WIRE_ONLY.test(rawPath)) {
      if (found === null) return false;
    }
    const startedMs = app.clock.now();
    const requestId = requestIdOf(req);
    res.setHeader('x-request-id', requestId);
    res.setHeader('x-content-type-options', 'nosniff');
    res.setHeader('access-control-allow-origin', '*');
    res.setHeader('access-control-expose-headers', EXPOSED);
    if (req.method === 'OPTIONS') {
      res.writeHead(204, {
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers':
          req.headers['access-control-request-headers'] ?? 'Authorization, Content-Type, Range',
        'access-control-max-age': '86400',
      });
      res.end();
      return true;
    }

    let principal: Principal = ANONYMOUS;
    const meta = found?.kind === 'route' ? found.route.meta : undefined;
    const abort = new AbortController();
    const onClose = () => abort.abort(new Error('the client closed the connection'));
    res.once('close', onClose);
    const timeoutMs = meta?.timeoutMs ?? 60_000;
    const timer =
      timeoutMs > 0
        ? setTimeout(() => abort.abort(hubError('overloaded', 'the request took too long')), timeoutMs)
        : undefined;
    let failure: HubError | undefined;
    try {
      if (early) throw early;
      if (meta === undefined || meta.access === 'signedUrl' || meta.access === 'xetToken') {
        // no hub credential decides here
      } else {
        principal = await authenticate(app, {
          authorization: req.headers.authorization,
          cookie: req.headers.cookie,
        });
      }
      if (found?.kind === 'method') {
        res.setHeader('allow', [...new Set(found.allow)].join(', '));
        throw hubError(
          'method_not_allowed',
          `${req.method} is not possible here: use ${found.allow.join(' or ')}`,
        );
      }
      if (found?.kind !== 'route') throw noSuchRoute(rawPath);
      const publicUrl = publicUrlOf(req);
      refuseForeignOrigin(req, principal, publicUrl);
      checkAccess(found.route, principal, req.method ?? 'GET');
      const ctx: Ctx = {
        ...app,
        principal,
        requestId,
        ip: clientIp(req, app.config.LARDER_TRUSTED_PROXIES),
        signal: abort.signal,
        publicUrl,
      };
      await found.route.handler(
        ctx,
        new WireRequest(req, rawPath, mark < 0 ? '' : url.slice(mark + 1), found.params),
        res,
      );
    } catch (error) {
      failure = toHubError(abort.signal.aborted && error === abort.signal.reason ? error : error);
      if (!res.headersSent) {
        const rendered = renderError(meta?.protocol ?? 'hub', failure, principal, requestId);
        // What was not read of the body would be taken for the next request: close after refusing an upload.
        if (!req.complete) res.setHeader('connection', 'close');
        res.writeHead(rendered.status, rendered.headers);
        res.end(req.method === 'HEAD' ? undefined : rendered.body);
      } else if (!res.writableEnded) {
        res.destroy();
      }
    } finally {
      clearTimeout(timer);
      res.off('close', onClose);
    }
    const fields = {
      operation: meta?.operation ?? 'none',
      method: req.method,
      status: res.statusCode,
      ms: app.clock.now() - startedMs,
      requestId,
      user: principal.kind === 'user' ? principal.name : undefined,
    };
    if (failure?.code === 'internal')
      app.log.error({ ...fields, err: failure.cause ?? failure }, 'request failed');
    else if (failure)
      app.log.info({ ...fields, code: failure.code, why: failure.internal ?? failure.message }, 'refused');
    else app.log.debug(fields, 'answered');
    return true;
  };
}

function noSuchRoute(rawPath: string): HubError {
  return /^\/api\/(?:models|datasets|spaces|kernels)\//.test(rawPath)
    ? hubError('repo_not_found', 'Repository not found')
    : hubError('not_found', 'there is nothing at this address');
}
