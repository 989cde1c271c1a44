import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { Repo } from '#lib/repos/types.ts';
import { canUse } from './access.ts';
import { findEndpointsOfRepo, findVisibleEndpoints } from './db.ts';
import { type EndpointView, viewEndpoints } from './view.ts';

/**
 * Endpoints that the caller may know of: those in their namespaces and those of public models; newest first, at
 * most 200. With `repo` (which the caller has the right to read) those that serve it. Throws unauthenticated for strangers.
 */
export async function listEndpoints(
  ctx: Ctx,
  filter: { namespace?: string | undefined; repo?: Repo | undefined } = {},
): Promise<EndpointView[]> {
  const { principal } = ctx;
  if (principal.kind !== 'user')
    throw hubError('unauthenticated', 'Sign in or send an access token to see endpoints');
  const mine = [principal.id, ...principal.orgs.map((org) => org.id)];
  if (filter.repo) {
    const all = await findEndpointsOfRepo(ctx.db, filter.repo.id);
    return viewEndpoints(
      ctx,
      all.filter((e) => mine.includes(e.namespaceId) || canUse(principal, e)),
    );
  }
  const found = await findVisibleEndpoints(ctx.db, {
    namespaceIds: mine,
    ofPublicRepos: true,
    namespace: filter.namespace ?? null,
  });
  return viewEndpoints(ctx, found);
}
