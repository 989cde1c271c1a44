import type { Ctx } from '#lib/identity/context.ts';
import { requireManage, requireSee } from './access.ts';
import type { EndpointRef } from './db.ts';
import { setDesired } from './set-desired.ts';
import { type EndpointView, viewEndpoint } from './view.ts';

/** Starts a stopped or failed endpoint again, with the same commit and file. Resuming what runs changes nothing. */
export async function resumeEndpoint(ctx: Ctx, ref: EndpointRef): Promise<EndpointView> {
  await setDesired(ctx, await requireManage(ctx, ref), {
    action: 'endpoint.resume',
    sql: `UPDATE endpoint SET desired = 'running', generation = generation + 1, failures = 0, not_before = NULL,
                 state = 'pending', message = '', updated_at = now()
           WHERE id = $1 AND (desired = 'stopped' OR (desired = 'running' AND state = 'failed'))`,
    state: 'pending',
    message: (who) => `resumed by ${who}`,
  });
  return viewEndpoint(ctx, await requireSee(ctx, ref));
}
