import type { OrgRole, Principal } from './principal.ts';

/**
 * Who may do what: pure, and the only place that knows. Roles mean what they mean on the Hub: `read` sees private
 * repos of the organization; `contributor` may create repos there and change those they created; `write` may
 * change and delete every repo; `admin` manages members too. An administrator of the installation gets no right
 * over other people's repos by that.
 */
export interface Owned {
  readonly namespaceId: string;
  /** User id of who created it; decides for contributors. */
  readonly createdBy?: string | null;
}

export interface Visible extends Owned {
  readonly visibility: 'public' | 'private';
}

/** The role of `principal` in a namespace: admin in their own, the membership's in an organization, else null. */
export function roleIn(principal: Principal, namespaceId: string): OrgRole | null {
  if (principal.kind === 'anonymous') return null;
  if (principal.kind === 'system' || principal.id === namespaceId) return 'admin';
  return principal.orgs.find((org) => org.id === namespaceId)?.role ?? null;
}

/** False for an access token of role `read` and for anonymous callers: they change nothing at all. */
export function canChangeAnything(principal: Principal): boolean {
  if (principal.kind === 'system') return true;
  return principal.kind === 'user' && (principal.via === 'session' || principal.token?.role === 'write');
}

/** May see it: it is public, or the caller has any role in its namespace. */
export function canRead(principal: Principal, thing: Visible): boolean {
  return thing.visibility === 'public' || roleIn(principal, thing.namespaceId) !== null;
}

/** May change its contents (commit, upload, start an endpoint from it in its namespace). */
export function canWrite(principal: Principal, thing: Owned): boolean {
  if (!canChangeAnything(principal)) return false;
  const role = roleIn(principal, thing.namespaceId);
  if (role === 'admin' || role === 'write') return true;
  if (role !== 'contributor') return false;
  return principal.kind === 'user' && thing.createdBy === principal.id;
}

/** May delete or rename it and change its settings. On the Hub these go with the right to write. */
export function canAdmin(principal: Principal, thing: Owned): boolean {
  return canWrite(principal, thing);
}

/** May create repos and endpoints in the namespace. */
export function canCreateIn(principal: Principal, namespaceId: string): boolean {
  if (!canChangeAnything(principal)) return false;
  const role = roleIn(principal, namespaceId);
  return role === 'admin' || role === 'write' || role === 'contributor';
}

/** May add, remove and promote members of the organization. */
export function canManageMembers(principal: Principal, orgId: string): boolean {
  return canChangeAnything(principal) && roleIn(principal, orgId) === 'admin';
}
