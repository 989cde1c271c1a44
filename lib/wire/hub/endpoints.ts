import { z } from 'zod';
import { createEndpoint } from '#lib/endpoints/create-endpoint.ts';
import { deleteEndpoint } from '#lib/endpoints/delete-endpoint.ts';
import { getEndpoint } from '#lib/endpoints/get-endpoint.ts';
import { listEndpoints } from '#lib/endpoints/list-endpoints.ts';
import { resumeEndpoint } from '#lib/endpoints/resume-endpoint.ts';
import { stopEndpoint } from '#lib/endpoints/stop-endpoint.ts';
import { watchEndpoint } from '#lib/endpoints/watch-endpoint.ts';
import type { WireRequest } from '../request.ts';
import { sendJson } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { sendWatched } from './endpoint-events.ts';

const ONE = '/api/endpoints/:ns/:name';
const refOf = (req: WireRequest) => ({ namespace: req.param('ns'), name: req.param('name') });

const repoBody = z.strictObject({
  repo: z.strictObject({
    type: z.enum(['model', 'dataset']).default('model'),
    namespace: z.string().min(1).max(100),
    name: z.string().min(1).max(100),
  }),
});

const create = route(
  'POST',
  '/api/endpoints',
  { operation: 'endpoint.create', access: 'repo.read' },
  async (ctx, req, res) => {
    const { repo } = await req.json(repoBody, 16_384);
    const { endpoint, created } = await createEndpoint(ctx, repo);
    sendJson(res, created ? 201 : 200, endpoint);
  },
);

const list = route(
  'GET',
  '/api/endpoints',
  { operation: 'endpoint.list', access: 'user' },
  async (ctx, req, res) =>
    sendJson(res, 200, {
      endpoints: await listEndpoints(ctx, { namespace: req.query.get('namespace') ?? undefined }),
    }),
);

const get = route('GET', ONE, { operation: 'endpoint.get', access: 'endpoint.use' }, async (ctx, req, res) =>
  sendJson(res, 200, await getEndpoint(ctx, refOf(req))),
);

const stop = route(
  'POST',
  `${ONE}/stop`,
  { operation: 'endpoint.stop', access: 'endpoint.manage' },
  async (ctx, req, res) => sendJson(res, 200, await stopEndpoint(ctx, refOf(req))),
);

const resume = route(
  'POST',
  `${ONE}/resume`,
  { operation: 'endpoint.resume', access: 'endpoint.manage' },
  async (ctx, req, res) => sendJson(res, 200, await resumeEndpoint(ctx, refOf(req))),
);

const remove = route(
  'DELETE',
  ONE,
  { operation: 'endpoint.delete', access: 'endpoint.manage' },
  async (ctx, req, res) => {
    await deleteEndpoint(ctx, refOf(req));
    sendJson(res, 200, {});
  },
);

const events = route(
  'GET',
  `${ONE}/events`,
  { operation: 'endpoint.events', access: 'endpoint.use', timeoutMs: 0 },
  async (ctx, req, res) => {
    const last = req.header('last-event-id') ?? req.query.get('after') ?? '';
    const after = /^\d{1,15}$/.test(last) ? Number(last) : null;
    await sendWatched(res, watchEndpoint(ctx, refOf(req), after), ctx.signal);
  },
);

/** One-click endpoints: what the endpoint page calls, and scripts may. */
export const endpointRoutes: readonly Route[] = [create, list, events, stop, resume, get, remove];
