import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { signedAt } from '#lib/base/signing-window.ts';
import type { App } from './context.ts';

type Signer = Pick<App, 'rootKey' | 'clock'>;

const MAX_TOKEN_LENGTH = 8_192;
const MAC = /^[A-Za-z0-9_-]{43}$/;
const keysByRoot = new WeakMap<Buffer, Map<string, Buffer>>();

/** The 32-byte key of one purpose, derived from the root key (RFC 5869): what is signed for one is junk for all others. */
export function keyFor(app: Pick<App, 'rootKey'>, purpose: string): Buffer {
  let keys = keysByRoot.get(app.rootKey);
  if (!keys) keysByRoot.set(app.rootKey, (keys = new Map()));
  let key = keys.get(purpose);
  if (!key) {
    key = Buffer.from(hkdfSync('sha256', app.rootKey, '', `larder/${purpose}`, 32));
    keys.set(purpose, key);
  }
  return key;
}

function mac(app: Signer, purpose: string, body: string): Buffer {
  return createHmac('sha256', keyFor(app, purpose)).update(body).digest();
}

/**
 * Signs a JSON payload for one purpose. The result is URL-safe (`body.mac`), readable by anyone, and valid for
 * `expiresSeconds` on every process that shares the root key. `purpose` is a constant of the code, never input.
 */
export function sign(app: Signer, purpose: string, payload: unknown, expiresSeconds: number): string {
  const expires = Math.floor(app.clock.now() / 1000) + expiresSeconds;
  const body = Buffer.from(JSON.stringify({ e: expires, p: payload })).toString('base64url');
  if (body.length > MAX_TOKEN_LENGTH - 44) throw new RangeError('payload too large to sign');
  return `${body}.${mac(app, purpose, body).toString('base64url')}`;
}

/** As sign, but the same within a signing window, so that a link made of it can be cached. */
export function signRounded(app: Signer, purpose: string, payload: unknown, expiresSeconds: number): string {
  const at = signedAt(app.clock.now(), expiresSeconds);
  return sign({ rootKey: app.rootKey, clock: { now: () => at } }, purpose, payload, expiresSeconds);
}

/** The payload of a token that sign() made for this purpose and that has not expired, else null. Never throws. */
export function verify<T>(app: Signer, purpose: string, token: string): T | null {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) return null;
  const dot = token.indexOf('.');
  if (dot <= 0) return null;
  const body = token.slice(0, dot);
  const given = token.slice(dot + 1);
  if (!MAC.test(given)) return null;
  if (!timingSafeEqual(Buffer.from(given, 'base64url'), mac(app, purpose, body))) return null;
  const { e, p } = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as { e: number; p: T };
  return e >= app.clock.now() / 1000 ? p : null;
}
