import type { Queryable } from '#lib/base/db.ts';
import { type HubError, hubError } from '#lib/base/errors.ts';
import { canChangeAnything, canRead, canWrite, roleIn } from '#lib/identity/policy.ts';
import type { Principal } from '#lib/identity/principal.ts';
import { type EndpointRecord, type EndpointRef, findEndpoint } from './db.ts';

interface Asker {
  readonly db: Queryable;
  readonly principal: Principal;
}

/** The one answer for an endpoint that does not exist and for one that the caller may not see. */
function endpointNotFound(): HubError {
  return hubError('not_found', 'Endpoint not found');
}

/**
 * May send it requests: anyone signed in while the model it serves is public; else members of its namespace who
 * may also read that model now. Strangers never: compute is not free. Being administrator of the hub gives nothing here.
 */
export function canUse(principal: Principal, endpoint: EndpointRecord): boolean {
  if (principal.kind === 'anonymous' || endpoint.repo.isDeleted) return false;
  if (endpoint.repo.visibility === 'public') return true;
  return roleIn(principal, endpoint.namespaceId) !== null && canRead(principal, endpoint.repo);
}

/** May stop, resume and delete it: who may write in its namespace, and administrators, who must be able to free the machine. */
export function canManage(principal: Principal, endpoint: EndpointRecord): boolean {
  if (!canChangeAnything(principal)) return false;
  return (
    (principal.kind === 'user' && principal.isAdmin) ||
    canWrite(principal, { namespaceId: endpoint.namespaceId, createdBy: endpoint.createdBy })
  );
}

function canSee(principal: Principal, endpoint: EndpointRecord): boolean {
  return (
    canUse(principal, endpoint) ||
    roleIn(principal, endpoint.namespaceId) !== null ||
    (principal.kind === 'user' && principal.isAdmin)
  );
}

function refuseAnonymous(principal: Principal): void {
  if (principal.kind === 'anonymous')
    throw hubError('unauthenticated', 'Sign in or send an access token to use endpoints');
}

/** The endpoint of this name if the caller may know of it, else not_found (unauthenticated when anonymous). */
export async function requireSee(asker: Asker, ref: EndpointRef): Promise<EndpointRecord> {
  refuseAnonymous(asker.principal);
  const endpoint = await findEndpoint(asker.db, ref);
  if (endpoint === null || !canSee(asker.principal, endpoint)) throw endpointNotFound();
  return endpoint;
}

/** requireSee, then forbidden for who may not change it. */
export async function requireManage(asker: Asker, ref: EndpointRef): Promise<EndpointRecord> {
  const endpoint = await requireSee(asker, ref);
  if (canManage(asker.principal, endpoint)) return endpoint;
  throw canChangeAnything(asker.principal)
    ? hubError('forbidden', "Forbidden: you don't have the right to change this endpoint.")
    : hubError('forbidden', 'Forbidden: you must use a write token to change an endpoint.');
}
