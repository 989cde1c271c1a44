import type { Ctx } from '#lib/identity/context.ts';
import type { Signature } from './git/commit.ts';

/**
 * Who a commit made through this hub is by: the user's name with an address that reveals nothing (history is
 * public, a mail address need not be), at the hub's time.
 */
export function commitSignature(ctx: Pick<Ctx, 'principal' | 'publicUrl' | 'clock'>): Signature {
  const name = ctx.principal.kind === 'user' ? ctx.principal.name : 'larder';
  const host = URL.parse(ctx.publicUrl)?.hostname ?? 'localhost';
  return {
    name,
    email: `${name}@users.noreply.${host}`,
    atSeconds: Math.floor(ctx.clock.now() / 1000),
  };
}
