import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Headers with which outsiders steered Next's routing in the past (CVE-2025-29927 and its family). */
const INTERNAL_HEADER =
  /^(?:x-middleware-|x-nextjs-|x-invoke-|x-matched-path$|x-forwarded-host$|next-action$|content-security-policy$)/;

/**
 * Prepares a request for Next: cuts its internal headers, refuses methods no page has, and sets the security
 * headers of pages. The nonce reaches Next's own scripts because Next reads it from the request's
 * Content-Security-Policy header. Returns false when it has answered already.
 */
export function guardPage(req: IncomingMessage, res: ServerResponse, options: { dev: boolean }): boolean {
  const isAuth = /^\/api\/auth(?:\/|\?|$)/.test(req.url ?? '');
  const isAction = 'next-action' in req.headers;
  for (const name of Object.keys(req.headers)) if (INTERNAL_HEADER.test(name)) delete req.headers[name];
  if (isAction || !(req.method === 'GET' || req.method === 'HEAD' || (isAuth && req.method === 'POST'))) {
    res
      .writeHead(405, { allow: 'GET, HEAD', 'content-type': 'text/plain; charset=utf-8' })
      .end('Method not allowed\n');
    return false;
  }
  const nonce = randomBytes(16).toString('base64');
  const script = options.dev
    ? `'self' 'unsafe-inline' 'unsafe-eval'`
    : `'self' 'nonce-${nonce}' 'strict-dynamic'`;
  const csp = [
    `default-src 'self'`,
    `script-src ${script}`,
    `style-src 'self' 'unsafe-inline'`, // Shiki and KaTeX colour by style attributes; the sanitizer keeps users' out
    `img-src 'self' data: https:`,
    `font-src 'self' data:`,
    `connect-src 'self'${options.dev ? ' ws:' : ''}`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-ancestors 'none'`,
  ].join('; ');
  req.headers['content-security-policy'] = csp;
  res.setHeader('content-security-policy', csp);
  res.setHeader('x-content-type-options', 'nosniff');
  res.setHeader('referrer-policy', 'same-origin');
  res.setHeader('cross-origin-opener-policy', 'same-origin');
  return true;
}
