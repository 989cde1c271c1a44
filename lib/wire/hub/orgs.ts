import { z } from 'zod';
import { createOrg } from '#lib/identity/create-org.ts';
import { listMembers } from '#lib/identity/list-members.ts';
import { setMember } from '#lib/identity/set-member.ts';
import { parseInput } from '../request.ts';
import { sendJson } from '../respond.ts';
import { route } from '../route.ts';

const orgBody = z.object({
  name: z.string(),
  fullname: z.string().optional(),
  defaultPrivate: z.boolean().optional(),
});

const create = route(
  'POST',
  '/api/organizations',
  { operation: 'org.create', access: 'user' },
  async (ctx, req, res) => sendJson(res, 201, await createOrg(ctx, await req.json(orgBody, 16_384))),
);

const memberQuery = z.object({ limit: z.coerce.number().int().min(1).max(10_000).default(500) });

const members = route(
  'GET',
  '/api/organizations/:name/members',
  { operation: 'org.members', access: 'user' },
  async (ctx, req, res) => {
    const { limit } = parseInput(memberQuery, { limit: req.query.get('limit') ?? undefined });
    const found = await listMembers(ctx, req.param('name'), limit);
    sendJson(
      res,
      200,
      found.map(({ id, name, ...member }) => ({
        _id: id,
        user: name,
        type: 'user',
        avatarUrl: '',
        isPro: false,
        ...member,
      })),
    );
  },
);

const roleBody = z.object({ role: z.enum(['admin', 'write', 'contributor', 'read', 'no_access']) });

const setRole = route(
  'PUT',
  '/api/organizations/:org/members/:user/role',
  { operation: 'org.member.set', access: 'user' },
  async (ctx, req, res) => {
    const { role } = await req.json(roleBody, 16_384);
    const input = {
      org: req.param('org'),
      user: req.param('user'),
      role: role === 'no_access' ? null : role,
    };
    const { user } = await setMember(ctx, input);
    sendJson(res, 200, { user, role });
  },
);

export const orgRoutes = [create, members, setRole];
