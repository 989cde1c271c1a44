import { hash } from 'node:crypto';
import { type HubError, hubError } from '#lib/base/errors.ts';
import type { App } from './context.ts';
import { findToken } from './db.ts';
import { ANONYMOUS, type Principal, type UserPrincipal } from './principal.ts';
import { cachedPrincipal } from './principal-cache.ts';
import { readSession } from './read-session.ts';

/** The credential headers of a request, as they came. Nothing else of a request is a credential, least of all its query. */
export interface Credential {
  readonly authorization?: string | null | undefined;
  readonly cookie?: string | null | undefined;
}

const TOKEN = /^hf_[\x21-\x7e]{32,253}$/;
const MAX_HEADER_LENGTH = 1_024;
const LAST_USED_MS = 60_000;

/** Whether a text could be an access token at all: `hf_` and 32 to 253 characters of visible ASCII. */
export function isTokenShaped(text: string): boolean {
  return TOKEN.test(text);
}

/** SHA-256 of a token: all that is ever stored or compared of it. */
export function hashToken(token: string): Buffer {
  return Buffer.from(hash('sha256', token), 'hex'); // a third of the time of a Hash object, on every request
}

function invalidCredentials(): HubError {
  return hubError('unauthenticated', 'Invalid credentials in Authorization header');
}

/** The token in `Bearer hf_…` or in either half of `Basic` (RFC 6750, RFC 7617), or null when there is none. */
function tokenIn(authorization: string): string | null {
  if (authorization.length > MAX_HEADER_LENGTH) return null;
  const match = /^(bearer|basic) +(\S+) *$/i.exec(authorization);
  const value = match?.[2];
  if (value === undefined) return null;
  if (match?.[1]?.toLowerCase() === 'bearer') return isTokenShaped(value) ? value : null;
  const text = Buffer.from(value, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  const [user, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  if (isTokenShaped(password)) return password;
  return isTokenShaped(user) ? user : null;
}

async function loadByToken(app: App, tokenHash: Buffer): Promise<UserPrincipal | null> {
  const nowMs = app.clock.now();
  const found = await findToken(app.db, { hash: tokenHash }, nowMs);
  if (!found) return null;
  if (!found.lastUsedAt || nowMs - found.lastUsedAt.getTime() > LAST_USED_MS) {
    await app.db.query('UPDATE access_token SET last_used_at = $2 WHERE id = $1', [
      found.token.id,
      new Date(nowMs),
    ]);
  }
  return Object.freeze({ kind: 'user', ...found.user, via: 'token', token: found.token });
}

/**
 * Who asks: the user of the access token in Authorization (Bearer, or Basic as git sends it), else the user of the
 * session cookie, else nobody. An Authorization header that proves nothing throws `unauthenticated`; a stale or
 * forged cookie is ignored. Costs one hash and at most one indexed query however long or odd the header is. A
 * revoked credential stops working at once in this process and within 5 s in others.
 */
export async function authenticate(app: App, credential: Credential): Promise<Principal> {
  const { authorization, cookie } = credential;
  if (authorization === undefined || authorization === null) {
    return (await readSession(app, cookie)) ?? ANONYMOUS;
  }
  const token = tokenIn(authorization);
  if (token === null) throw invalidCredentials();
  const tokenHash = hashToken(token);
  const principal = await cachedPrincipal(app, `token:${tokenHash.toString('base64')}`, () =>
    loadByToken(app, tokenHash),
  );
  if (principal === null) throw invalidCredentials();
  return principal;
}
