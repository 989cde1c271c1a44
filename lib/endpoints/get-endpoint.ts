import type { Ctx } from '#lib/identity/context.ts';
import { requireSee } from './access.ts';
import type { EndpointRef } from './db.ts';
import { type EndpointView, viewEndpoint } from './view.ts';

/** The endpoint of this name, or not_found for who may not know of it. */
export async function getEndpoint(ctx: Ctx, ref: EndpointRef): Promise<EndpointView> {
  return viewEndpoint(ctx, await requireSee(ctx, ref));
}
