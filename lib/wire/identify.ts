import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hubError } from '#lib/base/errors.ts';
import type { Principal } from '#lib/identity/principal.ts';
import type { Route } from './route.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const PRINTABLE = /^[\x21-\x7e]{1,200}$/;

/** Echoes the client's request id, or makes one that contains its trace id (hf-api §0.2, TestUniqueRequestId). */
export function requestIdOf(req: IncomingMessage): string {
  const own = req.headers['x-request-id'];
  if (typeof own === 'string' && PRINTABLE.test(own)) return own;
  const trace = req.headers['x-amzn-trace-id'];
  const id = randomUUID();
  return typeof trace === 'string' && PRINTABLE.test(trace) ? `${id};${trace}` : id;
}

/** The client's address: the socket's, or what the outermost trusted proxy wrote. */
export function clientIp(req: IncomingMessage, trustedProxies: number): string | null {
  if (trustedProxies > 0) {
    const hops = String(req.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => hop.trim())
      .filter(Boolean);
    const hop = hops[hops.length - trustedProxies];
    if (hop) return hop;
  }
  return req.socket.remoteAddress ?? null;
}

/**
 * A browser sends cookies along with a foreign page's request, so a change by session must come from our own
 * pages: Origin must be this hub, or, when absent, Sec-Fetch-Site must say same-origin. Throws forbidden.
 */
export function refuseForeignOrigin(req: IncomingMessage, principal: Principal, publicUrl: string): void {
  if (principal.kind !== 'user' || principal.via !== 'session' || SAFE.has(req.method ?? '')) return;
  const origin = req.headers.origin;
  const same =
    origin === undefined
      ? req.headers['sec-fetch-site'] === 'same-origin'
      : origin === new URL(publicUrl).origin;
  if (!same) throw hubError('forbidden', 'this request does not come from a page of this hub');
}

/** The part of a route's rule that needs no database: signed in, administrator, and what the token may do. */
export function checkAccess(route: Route, principal: Principal, method: string): void {
  const { access } = route.meta;
  if (access === 'signedUrl' || access === 'xetToken') return;
  if ((access === 'user' || access === 'admin') && principal.kind === 'anonymous') {
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
