import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from './context.ts';
import { canChangeAnything } from './policy.ts';
import type { UserPrincipal } from './principal.ts';

/** The signed-in user, or throws unauthenticated. */
export function requireUser(ctx: Pick<Ctx, 'principal'>): UserPrincipal {
  if (ctx.principal.kind !== 'user') throw hubError('unauthenticated', 'Invalid username or password.');
  return ctx.principal;
}

/** The signed-in user by session or write token; throws forbidden for a read token. */
export function requireWriter(ctx: Pick<Ctx, 'principal'>): UserPrincipal {
  const user = requireUser(ctx);
  if (!canChangeAnything(user)) {
    throw hubError('forbidden', 'Forbidden: this access token may only read. Use one with the role "write".');
  }
  return user;
}

/** The user of a browser session; throws forbidden for any token: a leaked token must not be able to outlive itself. */
export function requireSession(ctx: Pick<Ctx, 'principal'>): UserPrincipal {
  const user = requireUser(ctx);
  if (user.via !== 'session') {
    throw hubError('forbidden', 'Forbidden: an access token cannot do this. Sign in to the website instead.');
  }
  return user;
}
