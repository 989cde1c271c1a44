import type { Queryable } from '#lib/base/db.ts';
import type { Principal } from '#lib/identity/principal.ts';
import type { RepoType } from '#lib/repos/types.ts';
import { canManage, canUse } from './access.ts';
import { type EndpointRecord, NO_USAGE, sumUsage, type Usage } from './db.ts';
import type { EndpointState } from './types.ts';

/** An endpoint as its page and the REST API show it. Times are ISO 8601. */
export interface EndpointView {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** What to send as `model`. */
  readonly fullName: string;
  readonly repo: { readonly type: RepoType; readonly namespace: string; readonly name: string };
  /** The pinned commit. */
  readonly commit: string;
  readonly file: string;
  readonly engine: string;
  readonly generation: number;
  readonly desired: 'running' | 'stopped';
  readonly state: EndpointState;
  readonly message: string;
  readonly progress: { readonly doneBytes: number; readonly totalBytes: number } | null;
  readonly failures: number;
  readonly retryAt: string | null;
  readonly readyAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly createdBy: string;
  /** Base of its OpenAI API. */
  readonly url: string;
  readonly canManage: boolean;
  readonly canUse: boolean;
  readonly usage: Usage;
}

interface Viewer {
  readonly db: Queryable;
  readonly principal: Principal;
  readonly publicUrl: string;
}

/** How `ctx.principal` sees these endpoints, in their order; one query for all. */
export async function viewEndpoints(
  ctx: Viewer,
  endpoints: readonly EndpointRecord[],
): Promise<EndpointView[]> {
  const ids = endpoints.map((e) => e.id);
  const usage = await sumUsage(ctx.db, ids);
  return endpoints.map((endpoint) => view(ctx, endpoint, usage.get(endpoint.id) ?? NO_USAGE));
}

/** How `ctx.principal` sees one endpoint. */
export async function viewEndpoint(ctx: Viewer, endpoint: EndpointRecord): Promise<EndpointView> {
  const usage = await sumUsage(ctx.db, [endpoint.id]);
  return view(ctx, endpoint, usage.get(endpoint.id) ?? NO_USAGE);
}

function view(ctx: Viewer, e: EndpointRecord, usage: Usage): EndpointView {
  const { replica } = e;
  const pulling = replica?.state === 'pulling' && replica.totalBytes !== null;
  const waits = e.state === 'pending' && e.desired === 'running' && e.notBeforeMs !== null;
  return {
    id: e.id,
    namespace: e.namespace,
    name: e.name,
    fullName: `${e.namespace}/${e.name}`,
    repo: { type: e.repo.type, namespace: e.repo.namespace, name: e.repo.name },
    commit: e.commitOid,
    file: e.path,
    engine: e.engine,
    generation: e.generation,
    desired: e.desired === 'running' ? 'running' : 'stopped',
    state: e.state,
    message: e.message,
    progress: pulling ? { doneBytes: replica.doneBytes ?? 0, totalBytes: replica.totalBytes ?? 0 } : null,
    failures: e.failures,
    retryAt: waits && e.notBeforeMs !== null ? new Date(e.notBeforeMs).toISOString() : null,
    readyAt: replica?.readyAt?.toISOString() ?? null,
    createdAt: e.createdAt.toISOString(),
    updatedAt: e.updatedAt.toISOString(),
    createdBy: e.creator ?? '',
    url: `${ctx.publicUrl}/endpoints/${e.namespace}/${e.name}/v1`,
    canManage: canManage(ctx.principal, e),
    canUse: canUse(ctx.principal, e),
    usage,
  };
}
