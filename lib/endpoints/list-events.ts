import type { Ctx } from '#lib/identity/context.ts';
import { requireSee } from './access.ts';
import type { EndpointRef } from './db.ts';
import { type EndpointEvent, selectEvents } from './events.ts';

/** Timeline and log of an endpoint, oldest first: the last `limit` (at most 1,000), or the next ones `after` an id. */
export async function listEvents(
  ctx: Ctx,
  ref: EndpointRef,
  options: { after?: number; limit?: number; kinds?: readonly ('state' | 'log')[] } = {},
): Promise<EndpointEvent[]> {
  const endpoint = await requireSee(ctx, ref);
  return selectEvents(ctx.db, endpoint.id, {
    after: options.after ?? null,
    limit: Math.min(Math.max(options.limit ?? 200, 1), 1_000),
    kinds: options.kinds ?? ['state', 'log'],
  });
}
