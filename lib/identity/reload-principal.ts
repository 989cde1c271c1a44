import type { App } from './context.ts';
import { findToken } from './db.ts';
import { ANONYMOUS, type OrgMembership, type Principal, type UserPrincipal } from './principal.ts';
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
  const { rows } = await app.db.query<{ token_hash: Buffer }>(
    'SELECT token_hash FROM access_token WHERE id = $1',
    [tokenId],
  );
  const found = rows[0] && (await findToken(app.db, rows[0].token_hash, app.clock.now()));
  return found ? Object.freeze({ kind: 'user', ...found.user, via: 'token', token: found.token }) : null;
}

async function loadByUserId(app: App, userId: string): Promise<UserPrincipal | null> {
  const { rows } = await app.db.query<{
    name: string;
    fullname: string;
    email: string | null;
    is_admin: boolean;
    orgs: OrgMembership[];
  }>(
    `SELECT n.name, u.fullname, u.email, u.is_admin,
       (SELECT coalesce(json_agg(json_build_object('id', o.id, 'name', n2.name, 'fullname', o.fullname, 'role', m.role)), '[]')
        FROM membership m JOIN org o ON o.id = m.org_id JOIN namespace n2 ON n2.id = o.id
        WHERE m.user_id = u.id AND n2.deleted_at IS NULL) AS orgs
     FROM user_account u JOIN namespace n ON n.id = u.id
     WHERE u.id = $1 AND u.suspended_at IS NULL AND n.deleted_at IS NULL`,
    [userId],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const { name, fullname, email, orgs } = row;
  const user = { id: userId, name, fullname, email, isAdmin: row.is_admin, orgs };
  return Object.freeze({ kind: 'user', ...user, via: 'session', token: null });
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
