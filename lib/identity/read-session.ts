import { createHash } from 'node:crypto';
import { decode } from 'next-auth/jwt';
import type { App } from './context.ts';
import { findSessionUser } from './db.ts';
import type { UserPrincipal } from './principal.ts';
import { cachedPrincipal } from './principal-cache.ts';
import { hashSessionId, sessionSecret } from './session.ts';

const COOKIE = 'next-auth.session-token';
const MAX_COOKIE_LENGTH = 4_096;

/** The value of one cookie in a Cookie header (RFC 6265 §5.4), or null. The first wins when it is repeated. */
function cookieValue(header: string, name: string): string | null {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
}

function sessionCookie(app: App, header: string): string | null {
  const secure = cookieValue(header, `__Secure-${COOKIE}`);
  // Over https only the prefixed cookie counts: a neighbour on plain http can set the other one.
  if (secure !== null || app.config.LARDER_URL?.startsWith('https:')) return secure;
  return cookieValue(header, COOKIE);
}

/** The session id inside a session cookie, or null when it was not made by this hub or is too old. */
async function sessionIdIn(app: App, cookie: string): Promise<string | null> {
  try {
    const token = await decode({ token: cookie, secret: sessionSecret(app) });
    return typeof token?.sid === 'string' ? token.sid : null;
  } catch {
    return null; // forged, truncated, or encrypted under another root key
  }
}

/** The id of the session that a Cookie header shows, live or not, or null. */
export async function currentSessionId(
  app: App,
  cookieHeader: string | null | undefined,
): Promise<string | null> {
  const cookie = cookieHeader ? sessionCookie(app, cookieHeader) : null;
  return cookie && cookie.length <= MAX_COOKIE_LENGTH ? sessionIdIn(app, cookie) : null;
}

/**
 * The user whose session a Cookie header shows, or null. The cookie alone proves nothing: its session must be live
 * in the database (checked at most 5 s ago).
 */
export async function readSession(
  app: App,
  cookieHeader: string | null | undefined,
): Promise<UserPrincipal | null> {
  const cookie = cookieHeader ? sessionCookie(app, cookieHeader) : null;
  if (!cookie || cookie.length > MAX_COOKIE_LENGTH) return null;
  const key = `session:${createHash('sha256').update(cookie).digest('base64')}`;
  return cachedPrincipal(app, key, async () => {
    const sessionId = await sessionIdIn(app, cookie);
    if (sessionId === null) return null;
    const user = await findSessionUser(app.db, hashSessionId(sessionId), app.clock.now());
    return user && Object.freeze({ kind: 'user', ...user, via: 'session', token: null });
  });
}
