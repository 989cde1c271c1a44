import { transaction } from '#lib/base/db.ts';
import { type Actor, audit } from './audit.ts';
import type { App } from './context.ts';
import { findLogin } from './db.ts';
import { passwordMatches } from './passwords.ts';
import { createSession } from './session.ts';
import { addressBlock, type Bound, countAttempt, uncountAttempt } from './throttle.ts';

export interface SignedIn {
  readonly userId: string;
  readonly name: string;
  /** Goes into the cookie and nowhere else. */
  readonly sessionId: string;
}

const WINDOW_SECONDS = 300;

/**
 * The bounds on wrong passwords, per five minutes. The narrow one is per account and address, so that a stranger's
 * guessing shuts out the stranger long before it shuts out the owner; the wide ones stop guessing from many
 * addresses and of many accounts. Sessions that exist are not touched by any of them.
 */
function boundsFor(login: string, ip: string | null): Bound[] {
  const account = login.toLowerCase();
  const address = addressBlock(ip);
  return [
    { what: 'sign-in to from', whom: `${account} ${address}`, limit: 10, windowSeconds: WINDOW_SECONDS },
    { what: 'sign-in to', whom: account, limit: 100, windowSeconds: WINDOW_SECONDS },
    { what: 'sign-in from', whom: address, limit: 100, windowSeconds: WINDOW_SECONDS },
  ];
}

/**
 * Checks a name (or e-mail address) and password and opens a new session, or returns null when they do not belong
 * together. An unknown name costs the same time as a wrong password. Throws rate_limited after too many wrong
 * ones, and overloaded when too many hashes wait.
 */
export async function signIn(
  app: App & Actor,
  input: { login: string; password: string; userAgent: string | null },
): Promise<SignedIn | null> {
  const login = input.login.trim().slice(0, 254);
  const bounds = boundsFor(login, app.ip);
  await countAttempt(app, bounds);
  const user = login.includes('\0') ? null : await findLogin(app.db, login.toLowerCase());
  const matches = await passwordMatches(user?.passwordHash ?? null, input.password);
  if (!user || !matches) {
    app.log.info({ ip: app.ip, requestId: app.requestId }, 'sign-in refused');
    return null;
  }
  await uncountAttempt(app, bounds);
  const sessionId = await transaction(app.db, async (tx) => {
    const id = await createSession(tx, app.clock, user.id, input.userAgent);
    await audit(tx, app, { action: 'session.create', subject: `user:${user.name}` });
    return id;
  });
  return { userId: user.id, name: user.name, sessionId };
}
