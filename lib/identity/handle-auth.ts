import { randomUUID } from 'node:crypto';
import type { ReadableStream } from 'node:stream/web';
import type { NextApiRequest, NextApiResponse } from 'next';
import NextAuthModule from 'next-auth';
import type { App } from './context.ts';
import { nextAuthOptions, type SignInOutcome, unwrapDefault } from './next-auth-options.ts';
import { ANONYMOUS } from './principal.ts';
import { currentSessionId } from './read-session.ts';
import { signOut } from './sign-out.ts';

const NextAuth = unwrapDefault(NextAuthModule);
const MAX_BODY_BYTES = 16_384;
const ACTIONS: Record<string, RegExp> = {
  GET: /^(?:providers|session|csrf|signin|signout|error)$/,
  POST: /^(?:signin(?:\/credentials)?|callback\/credentials|signout)$/,
};

function refuse(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: message }, { status, headers: { 'cache-control': 'no-store', ...headers } });
}

/** The form or JSON fields of the body, all strings; null when it is too large or neither. */
async function fieldsOf(request: Request): Promise<Record<string, string> | null> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of (request.body as ReadableStream<Uint8Array> | null) ?? []) {
    total += part.length;
    if (total > MAX_BODY_BYTES) return null;
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (!request.headers.get('content-type')?.includes('json'))
    return Object.fromEntries(new URLSearchParams(text));
  try {
    const entries = Object.entries(JSON.parse(text) as object);
    return Object.fromEntries(
      entries.map(([key, value]) => [key, typeof value === 'string' ? value : String(value)]),
    );
  } catch {
    return null;
  }
}

function cookiesOf(header: string | null): Record<string, string> {
  const pairs = (header ?? '').split(';').map((pair) => {
    const equals = pair.indexOf('=');
    const value = pair.slice(equals + 1).trim();
    return [pair.slice(0, equals).trim(), /%[0-9a-f]{2}/i.test(value) ? safeDecode(value) : value] as const;
  });
  return Object.fromEntries(pairs);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Other pages may neither sign people in (login CSRF) nor out: their browser says where a request comes from. */
function isForeign(request: Request, origin: string): boolean {
  const from = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  return (from !== null && from !== origin) || (site !== null && site !== 'same-origin' && site !== 'none');
}

/** Runs next-auth through its handler for plain request and response objects, so that every input is chosen here. */
async function runNextAuth(
  input: Pick<NextApiRequest, 'method' | 'query' | 'body' | 'headers'> & { cookies: Record<string, string> },
  options: Parameters<typeof NextAuth>[2],
): Promise<{ status: number; headers: Headers; body: string }> {
  const out = { status: 200, headers: new Headers(), body: '' };
  let cookies: string[] = [];
  const response = {
    status(code: number) {
      out.status = code;
      return response;
    },
    getHeader: (name: string) => (name.toLowerCase() === 'set-cookie' ? cookies : out.headers.get(name)),
    setHeader(name: string, value: string | string[]) {
      if (name.toLowerCase() === 'set-cookie') cookies = [value].flat();
      else out.headers.set(name, String(value));
      return response;
    },
    json(value: unknown) {
      out.headers.set('content-type', 'application/json');
      out.body = JSON.stringify(value);
    },
    send(value: unknown) {
      if (value !== null && typeof value === 'object') response.json(value);
      else out.body = String(value ?? '');
    },
    end() {},
  };
  await NextAuth(input as NextApiRequest, response as unknown as NextApiResponse, options);
  for (const cookie of cookies) out.headers.append('set-cookie', cookie);
  return out;
}

/**
 * Answers /api/auth/*: csrf, session, sign-in by password, sign-out. `publicUrl` and `ip` come from the server,
 * never from what a client may write. Signing in ends the session the browser had before; signing out ends it in
 * the database. Too many attempts are answered with 429 and Retry-After.
 */
export async function handleAuth(
  app: App,
  request: Request,
  facts: { action: readonly string[]; publicUrl: string; ip: string | null },
): Promise<Response> {
  const action = facts.action.join('/');
  if (!ACTIONS[request.method]?.test(action)) return refuse(404, 'there is nothing at this address');
  const publicUrl = new URL(facts.publicUrl);
  const isPost = request.method === 'POST';
  if (isPost && isForeign(request, publicUrl.origin))
    return refuse(403, 'this request does not come from this hub');
  const fields = isPost ? await fieldsOf(request) : {};
  if (fields === null) return refuse(400, 'the body must be a short form or JSON object');

  const actor = { ...app, principal: ANONYMOUS, ip: facts.ip, requestId: randomUUID() };
  const outcome: SignInOutcome = {};
  const cookie = request.headers.get('cookie');
  const result = await runNextAuth(
    {
      method: request.method,
      query: { ...Object.fromEntries(new URL(request.url).searchParams), nextauth: [...facts.action] },
      body: fields,
      cookies: cookiesOf(cookie),
      headers: { 'x-forwarded-host': publicUrl.host, 'x-forwarded-proto': publicUrl.protocol.slice(0, -1) },
    },
    nextAuthOptions(actor, {
      userAgent: request.headers.get('user-agent'),
      isHttps: publicUrl.protocol === 'https:',
      outcome,
    }),
  );
  if (outcome.refusal) {
    const { status, message, details } = outcome.refusal;
    const url = `${publicUrl.origin}/login?error=${status === 429 ? 'RateLimited' : 'Overloaded'}`;
    return Response.json(
      { error: message, url },
      {
        status,
        headers: { 'retry-after': String(details.retryAfterSeconds ?? 2), 'cache-control': 'no-store' },
      },
    );
  }
  const before = outcome.signedIn ? await currentSessionId(app, cookie) : null;
  if (before) await signOut(actor, before);
  return new Response(result.body === '' ? null : result.body, {
    status: result.status,
    headers: result.headers,
  });
}
