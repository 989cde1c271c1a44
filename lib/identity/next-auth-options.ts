import type { NextAuthOptions } from 'next-auth';
import CredentialsModule from 'next-auth/providers/credentials';
import type { HubError } from '#lib/base/errors.ts';
import { isHubError } from '#lib/base/errors.ts';
import type { Actor } from './audit.ts';
import type { App } from './context.ts';
import { findSessionUser } from './db.ts';
import { hashSessionId, SESSION_MS, sessionSecret } from './session.ts';
import { signIn } from './sign-in.ts';
import { signOut } from './sign-out.ts';

/** CommonJS as Node imports it is `{ default }`, as bundlers do it is the value itself. */
export function unwrapDefault<T>(module: T): T {
  return (module as { default?: T }).default ?? module;
}

const Credentials = unwrapDefault(CredentialsModule);

/** What sign-in had to refuse for a reason other than a wrong password; next-auth has no room for it. */
export interface SignInOutcome {
  refusal?: HubError;
  signedIn?: boolean;
}

/**
 * Where a sign-in may lead: a path of this hub as an absolute address, else its home. Everything that a browser
 * could read as another host is refused (abuse.md H94).
 */
function safeRedirect(target: string, baseUrl: string): string {
  const path = target.startsWith(`${baseUrl}/`) ? target.slice(baseUrl.length) : target;
  if (!path.startsWith('/') || /^\/(?:[/\\]|%2f|%5c)/i.test(path) || /[\p{Cc}\\]/u.test(path))
    return `${baseUrl}/`;
  return URL.canParse(path, baseUrl) && new URL(path, baseUrl).origin === baseUrl
    ? `${baseUrl}${path}`
    : `${baseUrl}/`;
}

function credentialsProvider(app: App & Actor, userAgent: string | null, outcome: SignInOutcome) {
  return Credentials({
    name: 'password',
    credentials: {
      username: { label: 'Username', type: 'text' },
      password: { label: 'Password', type: 'password' },
    },
    async authorize(credentials) {
      const { username, password } = credentials ?? {};
      if (typeof username !== 'string' || typeof password !== 'string') return null;
      try {
        const user = await signIn(app, { login: username, password, userAgent });
        outcome.signedIn = user !== null;
        return user && { id: user.userId, name: user.name, sessionId: user.sessionId };
      } catch (error) {
        if (!isHubError(error)) throw error;
        outcome.refusal = error;
        return null;
      }
    },
  });
}

/**
 * How next-auth works here: one provider (password), an encrypted cookie that carries the id of a row in `session`
 * and proves nothing without it, our own pages. Made per request, because it must know who asks from where.
 */
export function nextAuthOptions(
  app: App & Actor,
  request: { userAgent: string | null; isHttps: boolean; outcome: SignInOutcome },
): NextAuthOptions {
  return {
    providers: [credentialsProvider(app, request.userAgent, request.outcome)],
    secret: sessionSecret(app),
    session: { strategy: 'jwt', maxAge: SESSION_MS / 1000 },
    useSecureCookies: request.isHttps,
    pages: { signIn: '/login', signOut: '/', error: '/login' },
    callbacks: {
      redirect: ({ url, baseUrl }) => safeRedirect(url, baseUrl),
      async jwt({ token, user }) {
        if (user)
          return { sub: user.id, name: user.name ?? null, sid: (user as { sessionId?: string }).sessionId };
        const live =
          typeof token.sid === 'string' &&
          (await findSessionUser(app.db, hashSessionId(token.sid), app.clock.now()));
        if (!live) throw new Error('the session has ended');
        return token;
      },
      session: ({ session, token }) => ({ expires: session.expires, user: { name: token.name ?? null } }),
    },
    events: {
      signOut: async ({ token }) => {
        if (typeof token?.sid === 'string') await signOut(app, token.sid);
      },
    },
    logger: {
      error: (code) => app.log.debug({ code }, 'next-auth'),
      warn: (code) => app.log.debug({ code }, 'next-auth'),
      debug: () => {},
    },
  };
}
