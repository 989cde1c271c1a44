import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { canUse } from './access.ts';
import { type EndpointRecord, type EndpointRef, findEndpoint, findEndpointsOfRepo } from './db.ts';
import { engineToken } from './engine-token.ts';

/** Where a request goes: one engine, and what it wants to see. */
export interface Target {
  readonly endpointId: string;
  /** `namespace/name`: what the engine calls its model. */
  readonly model: string;
  readonly url: string;
  readonly token: string;
}

/**
 * The engine that answers for this endpoint. Throws not_found for who may not use it (unauthenticated when
 * anonymous), not_ready with what it is doing while it comes up, and invalid_input when it is stopped or has
 * failed, because asking again would not help.
 */
export async function findTarget(ctx: Ctx, ref: EndpointRef): Promise<Target> {
  refuseAnonymous(ctx);
  const endpoint = await findEndpoint(ctx.db, ref);
  if (endpoint === null || !canUse(ctx.principal, endpoint))
    throw modelNotFound(`${ref.namespace}/${ref.name}`);
  return targetOf(ctx, endpoint);
}

/** findTarget by what the OpenAI API calls `model`: an endpoint's full name, else that of a repo that has one. */
export async function findTargetByModel(ctx: Ctx, model: string): Promise<Target> {
  refuseAnonymous(ctx);
  const [namespace, name, more] = model.split('/');
  if (!namespace || !name || more !== undefined) throw modelNotFound(model);
  const endpoint = await findEndpoint(ctx.db, { namespace, name });
  if (endpoint !== null && canUse(ctx.principal, endpoint)) return targetOf(ctx, endpoint);
  const repo = await requireRead(ctx, { type: 'model', namespace, name }).catch(() => null);
  const serving = repo ? await findEndpointsOfRepo(ctx.db, repo.id) : [];
  const usable = serving.filter((e) => canUse(ctx.principal, e));
  const best = usable.find(isReady) ?? usable[0];
  if (best === undefined) throw modelNotFound(model);
  return targetOf(ctx, best);
}

function refuseAnonymous(ctx: Ctx): void {
  if (ctx.principal.kind === 'anonymous')
    throw hubError(
      'unauthenticated',
      'Send an access token of this hub as API key (Authorization: Bearer hf_…)',
    );
}

function modelNotFound(model: string) {
  return hubError(
    'not_found',
    `The model "${model.slice(0, 200)}" has no endpoint here that you may use: deploy it first, or see /v1/models.`,
  );
}

const isReady = (e: EndpointRecord) => e.desired === 'running' && e.replica?.state === 'ready';

function targetOf(ctx: Ctx, e: EndpointRecord): Target {
  const model = `${e.namespace}/${e.name}`;
  const { replica } = e;
  if (isReady(e) && replica?.url)
    return { endpointId: e.id, model, url: replica.url, token: engineToken(ctx, replica.id) };
  if (e.desired === 'stopped')
    throw hubError('invalid_input', `${model} is stopped: resume it on its page, then ask again.`);
  if (e.state === 'failed')
    throw hubError('invalid_input', `${model} has failed: ${e.message}. Mend it and resume it on its page.`);
  throw hubError('not_ready', `${model} is not ready yet (${e.message || e.state}): try again in a moment.`, {
    details: { retryAfterSeconds: retryAfter(ctx, e) },
  });
}

function retryAfter(ctx: Ctx, e: EndpointRecord): number {
  const waitMs = (e.notBeforeMs ?? 0) - ctx.clock.now();
  return e.state === 'pulling' ? 10 : Math.max(2, Math.ceil(waitMs / 1000));
}
