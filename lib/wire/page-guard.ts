import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '#lib/base/config.ts';
import { clientIp } from './identify.ts';
import { createPublicUrl } from './public-url.ts';

/** Headers with which outsiders steered Next's routing in the past (CVE-2025-29927 and its family), or that we set. */
const INTERNAL_HEADER =
  /^(?:x-middleware-|x-nextjs-|x-invoke-|x-matched-path$|x-forwarded-(?:host|proto|port)$|x-nonce$|x-asked-for$|next-action$|content-security-policy$)/;

/** The Content-Security-Policy of pages; scripts run only with this answer's nonce. */
function policy(
  nonce: string,
  options: { store: string | undefined; dev: boolean; isScript: boolean },
): string {
  const { store: storeOrigin, dev, isScript } = options;
  const script = dev ? `'self' 'unsafe-inline' 'unsafe-eval'` : `'self' 'nonce-${nonce}' 'strict-dynamic'`;
  return [
    `default-src 'self'`,
    // a worker takes the policy of its own file: only there may code be WebAssembly (the hash of uploads)
    `script-src ${script}${isScript ? ` 'wasm-unsafe-eval'` : ''}`,
    `worker-src 'self'`,
    `style-src 'self' 'unsafe-inline'`, // Shiki and KaTeX colour by style attributes; the sanitizer keeps users' out
    `img-src 'self' data: blob: https:${storeOrigin ? ` ${storeOrigin}` : ''}`, // large images are redirected to the store
    `font-src 'self' data:`,
    `connect-src 'self'${storeOrigin ? ` ${storeOrigin}` : ''}${dev ? ' ws:' : ''}`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}

/**
 * Makes the guard in front of Next. It cuts Next's internal headers from a request, refuses methods no page has,
 * tells next-auth the address the client really used and the pages the path and query that were asked for, and sets the security headers of pages. The nonce reaches
 * Next's own scripts because Next reads it from the request's Content-Security-Policy header. The guard returns
 * false when it has answered already.
 */
export function createPageGuard(config: Config, options: { dev: boolean }) {
  const publicUrlOf = createPublicUrl(config);
  const store = config.S3_PUBLIC_ENDPOINT ?? config.S3_ENDPOINT;
  const storeOrigin = store && config.S3_DIRECT ? new URL(store).origin : undefined;

  return function guardPage(req: IncomingMessage, res: ServerResponse): boolean {
    const isAuth = /^\/api\/auth(?:\/|\?|$)/.test(req.url ?? '');
    const isAction = 'next-action' in req.headers;
    for (const name of Object.keys(req.headers)) if (INTERNAL_HEADER.test(name)) delete req.headers[name];
    if (isAction || !(req.method === 'GET' || req.method === 'HEAD' || (isAuth && req.method === 'POST'))) {
      res
        .writeHead(405, { allow: 'GET, HEAD', 'content-type': 'text/plain; charset=utf-8' })
        .end('Method not allowed\n');
      return false;
    }
    const publicUrl = new URL(publicUrlOf(req));
    const nonce = randomBytes(16).toString('base64');
    const isScript = /^\/_next\/static\/[^?]+\.js(?:\?|$)/.test(req.url ?? '');
    const csp = policy(nonce, { store: storeOrigin, dev: options.dev, isScript });
    req.headers['x-forwarded-host'] = publicUrl.host;
    req.headers['x-forwarded-proto'] = publicUrl.protocol.slice(0, -1);
    req.headers['x-forwarded-for'] = clientIp(req, config.LARDER_TRUSTED_PROXIES) ?? '';
    req.headers['content-security-policy'] = csp;
    req.headers['x-nonce'] = nonce;
    req.headers['x-asked-for'] = req.url ?? '/';
    res.setHeader('content-security-policy', csp);
    res.setHeader('x-content-type-options', 'nosniff');
    res.setHeader('x-frame-options', 'DENY');
    res.setHeader('referrer-policy', 'same-origin');
    res.setHeader('cross-origin-opener-policy', 'same-origin');
    return true;
  };
}
