import { hubError } from '#lib/base/errors.ts';
import { sendJson } from '../respond.ts';
import { type Route, route } from '../route.ts';

/** Who the credential belongs to, with their organizations and, for a token, its name and role. */
export const whoami: Route = route(
  ['GET', 'HEAD'],
  '/api/whoami-v2',
  { operation: 'whoami', access: 'user' },
  async (ctx, _req, res) => {
    const user = ctx.principal;
    if (user.kind !== 'user') throw hubError('unauthenticated', 'Invalid username or password.');
    sendJson(res, 200, {
      type: 'user',
      id: user.id,
      name: user.name,
      fullname: user.fullname,
      ...(user.email === null ? {} : { email: user.email }),
      emailVerified: false,
      canPay: false,
      billingMode: 'postpaid',
      periodEnd: null,
      isPro: false,
      avatarUrl: '',
      orgs: user.orgs.map((org) => ({
        type: 'org',
        id: org.id,
        name: org.name,
        fullname: org.fullname,
        canPay: false,
        billingMode: 'postpaid',
        periodEnd: null,
        avatarUrl: '',
        roleInOrg: org.role,
      })),
      auth: user.token
        ? {
            type: 'access_token',
            accessToken: {
              displayName: user.token.name,
              role: user.token.role,
              createdAt: user.token.createdAt,
            },
          }
        : { type: 'session' },
    });
  },
);
