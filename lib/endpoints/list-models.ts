import type { Ctx } from '#lib/identity/context.ts';
import { listEndpoints } from './list-endpoints.ts';
import type { EndpointView } from './view.ts';

/** A model as `GET /v1/models` of the OpenAI API lists it. */
export interface ServedModel {
  readonly id: string;
  readonly object: 'model';
  /** Seconds since the epoch. */
  readonly created: number;
  readonly owned_by: string;
}

/** An endpoint as a model of the OpenAI API. */
export function modelOfEndpoint(endpoint: EndpointView): ServedModel {
  return {
    id: endpoint.fullName,
    object: 'model',
    created: Math.floor(Date.parse(endpoint.createdAt) / 1000),
    owned_by: endpoint.namespace,
  };
}

/** The models that the caller may send requests to, now or once they are up. */
export async function listModels(ctx: Ctx): Promise<ServedModel[]> {
  const endpoints = await listEndpoints(ctx);
  return endpoints.filter((e) => e.canUse && e.desired === 'running').map(modelOfEndpoint);
}
