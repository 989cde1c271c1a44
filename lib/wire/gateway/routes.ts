import { hubError } from '#lib/base/errors.ts';
import { getEndpoint } from '#lib/endpoints/get-endpoint.ts';
import { listModels, modelOfEndpoint } from '#lib/endpoints/list-models.ts';
import { sendJson } from '../respond.ts';
import { type Route, type RouteMeta, route } from '../route.ts';
import { relay } from './relay.ts';

/** Asking a model changes nothing in the hub, so a read token is enough; answers may take as long as they take. */
const ASK = { access: 'endpoint.use', scope: 'read', protocol: 'openai', timeoutMs: 0 } as const;
const LOOK = { access: 'endpoint.use', scope: 'read', protocol: 'openai' } as const;
const meta = (operation: string, rest: Omit<RouteMeta, 'operation'>): RouteMeta => ({ operation, ...rest });

const chat = route(
  'POST',
  ['/v1/chat/completions', '/endpoints/:ns/:name/v1/chat/completions'],
  meta('gateway.chat', ASK),
  (ctx, req, res) => relay(ctx, req, res, '/v1/chat/completions'),
);

const completions = route(
  'POST',
  ['/v1/completions', '/endpoints/:ns/:name/v1/completions'],
  meta('gateway.completions', ASK),
  (ctx, req, res) => relay(ctx, req, res, '/v1/completions'),
);

const models = route(
  'GET',
  '/v1/models',
  meta('gateway.models', { ...LOOK, access: 'user' }),
  async (ctx, _req, res) => sendJson(res, 200, { object: 'list', data: await listModels(ctx) }),
);

const modelsOfEndpoint = route(
  'GET',
  '/endpoints/:ns/:name/v1/models',
  meta('gateway.endpointModels', LOOK),
  async (ctx, req, res) => {
    const endpoint = await getEndpoint(ctx, { namespace: req.param('ns'), name: req.param('name') });
    sendJson(res, 200, { object: 'list', data: [modelOfEndpoint(endpoint)] });
  },
);

/** Clients send the slash of the id as it is or escaped. */
const model = route('GET', '/v1/models/*rest', meta('gateway.model', LOOK), async (ctx, req, res) => {
  const id = req.decodedParam('rest');
  const found = (await listModels(ctx)).find((m) => m.id.toLowerCase() === id.toLowerCase());
  if (!found)
    throw hubError('not_found', `The model "${id.slice(0, 200)}" has no endpoint here that you may use.`);
  sendJson(res, 200, found);
});

/** The OpenAI API in front of all endpoints, and below the address of each. */
export const routes: readonly Route[] = [chat, completions, models, modelsOfEndpoint, model];
