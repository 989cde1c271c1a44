import { z } from 'zod';
import { createToken } from '#lib/identity/create-token.ts';
import { listTokens } from '#lib/identity/list-tokens.ts';
import { revokeToken } from '#lib/identity/revoke-token.ts';
import { sendJson } from '../respond.ts';
import { route } from '../route.ts';

const list = route(
  'GET',
  '/api/settings/tokens',
  { operation: 'token.list', access: 'user', scope: 'write' },
  async (ctx, _req, res) => sendJson(res, 200, { tokens: await listTokens(ctx) }),
);

const tokenBody = z.object({
  name: z.string(),
  role: z.enum(['read', 'write']),
  expiresInDays: z.number().int().min(1).max(3_650).optional(),
});

const create = route(
  'POST',
  '/api/settings/tokens',
  { operation: 'token.create', access: 'user' },
  async (ctx, req, res) => sendJson(res, 201, await createToken(ctx, await req.json(tokenBody, 16_384))),
);

const revoke = route(
  'DELETE',
  '/api/settings/tokens/:id',
  { operation: 'token.revoke', access: 'user' },
  async (ctx, req, res) => {
    await revokeToken(ctx, req.param('id'));
    sendJson(res, 200, {});
  },
);

export const tokenRoutes = [list, create, revoke];
