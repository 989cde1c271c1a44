import type { Ctx } from '#lib/identity/context.ts';
import { requireManage } from './access.ts';
import type { EndpointRef } from './db.ts';
import { DELETE_SQL } from './delete-endpoints-of-repo.ts';
import { setDesired } from './set-desired.ts';

/** Ends the endpoint for good: gone for every caller and its name free at once, its engine and rows soon after. */
export async function deleteEndpoint(ctx: Ctx, ref: EndpointRef): Promise<void> {
  await setDesired(ctx, await requireManage(ctx, ref), {
    action: 'endpoint.delete',
    sql: `${DELETE_SQL} WHERE id = $1 AND desired <> 'deleted'`,
    state: null,
    message: (who) => `deleted by ${who}`,
  });
}
