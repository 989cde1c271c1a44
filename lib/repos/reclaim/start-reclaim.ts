import { transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { reclaimJob } from './jobs.ts';
import { requireAdministrator } from './require-administrator.ts';

/**
 * Lets a worker collect garbage, or only look for it, as soon as it can; one that waits already swallows this one.
 * Throws unauthenticated, forbidden (not an administrator of the hub).
 */
export async function startReclaim(
  ctx: Ctx,
  request: { readonly isDry: boolean; readonly isForced: boolean },
): Promise<void> {
  const user = requireAdministrator(ctx);
  const { isDry, isForced } = request;
  await transaction(ctx.db, async (tx) => {
    await audit(tx, ctx, { action: 'storage.reclaim', subject: 'hub', details: { isDry, isForced } });
    await ctx.queue.enqueue(
      tx,
      reclaimJob,
      { cause: 'page', userId: user.id, isDry, isForced },
      { key: isDry ? 'dry' : isForced ? 'forced' : 'run' },
    );
  });
}
