import { z } from 'zod';
import { changePassword } from '#lib/identity/change-password.ts';
import { createUser } from '#lib/identity/create-user.ts';
import { currentSessionId } from '#lib/identity/read-session.ts';
import { updateAccount } from '#lib/identity/update-account.ts';
import { sendJson } from '../respond.ts';
import { route } from '../route.ts';

const MAX_BODY_BYTES = 16_384;

const signUpBody = z.object({
  username: z.string(),
  fullname: z.string().optional(),
  email: z.string().optional(),
  password: z.string(),
});

const signUp = route(
  'POST',
  '/api/signup',
  { operation: 'account.create', access: 'public' },
  async (ctx, req, res) => {
    const { username, ...rest } = await req.json(signUpBody, MAX_BODY_BYTES);
    sendJson(res, 201, await createUser(ctx, { name: username, ...rest }));
  },
);

const accountBody = z.object({ fullname: z.string().optional(), email: z.string().nullable().optional() });

const account = route(
  'PUT',
  '/api/settings/account',
  { operation: 'account.update', access: 'user' },
  async (ctx, req, res) => {
    sendJson(res, 200, await updateAccount(ctx, await req.json(accountBody, MAX_BODY_BYTES)));
  },
);

const passwordBody = z.object({ currentPassword: z.string(), newPassword: z.string() });

const password = route(
  'PUT',
  '/api/settings/password',
  { operation: 'account.password', access: 'user' },
  async (ctx, req, res) => {
    const input = await req.json(passwordBody, MAX_BODY_BYTES);
    const sessionId = await currentSessionId(ctx, req.header('cookie'));
    await changePassword(ctx, { ...input, sessionId });
    sendJson(res, 200, {});
  },
);

export const accountRoutes = [signUp, account, password];
