import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import { requireRead, requireWrite } from '#lib/repos/access.ts';
import { validateCard } from '#lib/repos/validate-card.ts';
import { sendEmpty, sendJson } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { API_REPO, repoRefOf } from './repo-params.ts';

const MAX_CARD_BODY_BYTES = 24 * 1024 * 1024;
const cardBody = z.object({ content: z.string(), repoType: z.string().optional() });

const messages = (list: string[]) => list.map((message) => ({ message }));

/** Judges a README before a commit. Clients parse the body whatever the status, so both answers are JSON of one shape. */
const validateYaml = route(
  'POST',
  '/api/validate-yaml',
  { operation: 'card.validate', access: 'public', scope: 'read' },
  async (_ctx, req, res) => {
    const { content } = await req.json(cardBody, MAX_CARD_BODY_BYTES);
    const { errors, warnings } = validateCard(content);
    sendJson(res, errors.length > 0 ? 400 : 200, { errors: messages(errors), warnings: messages(warnings) });
  },
);

/** Asked by every CLI process at its start: which coding agents to detect. None. */
const agentHarnesses = route(
  ['GET', 'HEAD'],
  '/api/agent-harnesses',
  { operation: 'agentHarnesses', access: 'public' },
  async (_ctx, _req, res) => sendJson(res, 200, { standardEnvVars: [], harnesses: {} }),
);

/** Usage pings of client libraries are answered at once and thrown away. */
const telemetry = route(
  ['HEAD', 'GET'],
  '/api/telemetry/*rest',
  { operation: 'telemetry', access: 'public' },
  async (_ctx, _req, res) => sendEmpty(res, 200),
);

const authCheck = route(
  ['GET', 'HEAD'],
  `${API_REPO}/auth-check`,
  { operation: 'repo.authCheck', access: 'repo.read' },
  async (ctx, req, res) => {
    await requireRead(ctx, repoRefOf(req));
    sendJson(res, 200, {});
  },
);

const authCheckWrite = route(
  ['GET', 'HEAD'],
  `${API_REPO}/auth-check/write`,
  { operation: 'repo.authCheckWrite', access: 'repo.write' },
  async (ctx, req, res) => {
    await requireWrite(ctx, repoRefOf(req));
    sendJson(res, 200, {});
  },
);

export const smallRoutes: Route[] = [validateYaml, agentHarnesses, telemetry, authCheckWrite, authCheck];

/** What the Hub has below a repo's address and this hub has not: said as such, after the right to read it. */
export const unknownBelowRepo: Route = route(
  ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  `${API_REPO}/:what/*rest`,
  { operation: 'repo.unknown', access: 'repo.read', scope: 'read' },
  async (ctx, req) => {
    await requireRead(ctx, repoRefOf(req));
    throw hubError('not_found', `this hub has no "${req.param('what')}" for repositories`);
  },
);
