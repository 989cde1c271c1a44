import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything } from '#lib/identity/policy.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';

/** The caller, an administrator of the hub with the right to change things. Throws unauthenticated, forbidden. */
export function requireAdministrator({ principal }: Pick<Ctx, 'principal'>): UserPrincipal {
  if (principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in as an administrator');
  if (!principal.isAdmin || !canChangeAnything(principal))
    throw hubError('forbidden', 'Only administrators of this hub may see and reclaim its storage');
  return principal;
}
