import type { App } from './context.ts';
import { findToken, findUser } from './db.ts';
import { ANONYMOUS, type Principal, type UserPrincipal } from './principal.ts';
import { cachedPrincipal } from './principal-cache.ts';

/** Who a signed link or token was made for, small enough to travel inside it. */
export interface PrincipalKey {
  readonly userId: string;
  /** The access token they used; null for a session. */
  readonly tokenId: string | null;
}

/** What to put into something signed, so that reloadPrincipal finds the same caller again. Null: anonymous. */
export function principalKey(principal: Principal): PrincipalKey | null {
  return principal.kind === 'user' ? { userId: principal.id, tokenId: principal.token?.id ?? null } : null;
}

async function loadByTokenId(app: App, tokenId: string): Promise<UserPrincipal | null> {
  const found = await findToken(app.db, { id: tokenId }, app.clock.now());
  return found ? Object.freeze({ kind: 'user', ...found.user, via: 'token', token: found.token }) : null;
}

async function loadByUserId(app: App, userId: string): Promise<UserPrincipal | null> {
  const user = await findUser(app.db, userId);
  return user ? Object.freeze({ kind: 'user', ...user, via: 'session', token: null }) : null;
}

/**
 * The caller behind a key with the rights they have now (at most 5 s old), or null when their access token was
 * revoked, it expired, or the user is gone. A null key is the anonymous caller.
 */
export async function reloadPrincipal(app: App, key: PrincipalKey | null): Promise<Principal | null> {
  if (key === null) return ANONYMOUS;
  const { userId, tokenId } = key;
  return tokenId === null
    ? cachedPrincipal(app, `user:${userId}`, () => loadByUserId(app, userId))
    : cachedPrincipal(app, `token-id:${tokenId}`, () => loadByTokenId(app, tokenId));
}
