import type { Ctx } from '#lib/identity/context.ts';
import { requireManage, requireSee } from './access.ts';
import type { EndpointRef } from './db.ts';
import { setDesired } from './set-desired.ts';
import { type EndpointView, viewEndpoint } from './view.ts';

/** Takes the endpoint out of service at once and ends its engine soon after. Stopping what is stopped is fine. */
export async function stopEndpoint(ctx: Ctx, ref: EndpointRef): Promise<EndpointView> {
  await setDesired(ctx, await requireManage(ctx, ref), {
    action: 'endpoint.stop',
    sql: `UPDATE endpoint SET desired = 'stopped', message = 'stopping', updated_at = now()
           WHERE id = $1 AND desired = 'running'`,
    state: null,
    message: (who) => `stop asked by ${who}`,
  });
  return viewEndpoint(ctx, await requireSee(ctx, ref));
}
