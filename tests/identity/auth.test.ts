import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUser } from '#lib/identity/create-user.ts';
import { handleAuth } from '#lib/identity/handle-auth.ts';
import { readSession } from '#lib/identity/read-session.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';

let t: TestApp;
let url: string;
let close: () => Promise<void>;

/** next-auth over real HTTP as the Next route runs it, without the rest of Next. */
beforeAll(async () => {
  process.env.AUTH_TRUST_HOST = 'true'; // server.ts does
  t = await createTestApp();
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const headers = new Headers(
      Object.entries(req.headers).map(([k, v]): [string, string] => [k, String(v)]),
    );
    const publicUrl = `http://${req.headers.host}`;
    const request = new Request(`${publicUrl}${req.url}`, {
      method: req.method ?? 'GET',
      headers,
      ...(chunks.length ? { body: Buffer.concat(chunks) } : {}),
    });
    const action = new URL(request.url).pathname.split('/').slice(3);
    const ip = String(req.headers['x-test-ip'] ?? '127.0.0.1');
    const response = await handleAuth(t.app, request, { action, publicUrl, ip });
    res.statusCode = response.status;
    for (const [key, value] of response.headers) if (key !== 'set-cookie') res.setHeader(key, value);
    res.setHeader('set-cookie', response.headers.getSetCookie());
    res.end(Buffer.from(await response.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await t.close();
  };
  await createUser(t.ctxFor(), { name: 'alice', email: 'Alice@example.org', password: 'correct horse' });
  await createUser(t.ctxFor(), { name: 'bob', password: 'battery staple' });
});
afterAll(() => close());

/** A browser as far as cookies go. */
function browser(ip = '127.0.0.1') {
  const jar = new Map<string, string>();
  const header = () => [...jar].map(([k, v]) => `${k}=${v}`).join('; ');
  async function send(path: string, form?: Record<string, string>, headers: Record<string, string> = {}) {
    const response = await fetch(`${url}${path}`, {
      redirect: 'manual',
      method: form ? 'POST' : 'GET',
      headers: { cookie: header(), 'x-test-ip': ip, ...headers },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }
  async function login(username: string, password: string, more: Record<string, string> = {}) {
    const { csrfToken } = (await (await send('/api/auth/csrf')).json()) as { csrfToken: string };
    return send('/api/auth/callback/credentials', { csrfToken, username, password, json: 'true', ...more });
  }
  const who = async () => (await readSession(t.app, header()))?.name ?? null;
  return { jar, header, send, login, who };
}
const COOKIE = 'next-auth.session-token';

describe('signing in', () => {
  test('a name, or an e-mail address in any case, and the password give a session that names the user', async () => {
    for (const login of ['alice', 'ALICE', 'alice@Example.org']) {
      const b = browser();
      const response = await b.login(login, 'correct horse', { callbackUrl: '/models' });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ url: `${url}/models` });
      expect(await b.who()).toBe('alice');
      expect(await (await b.send('/api/auth/session')).json()).toMatchObject({ user: { name: 'alice' } });
    }
  });

  test('the session cookie is HttpOnly and SameSite=Lax, and Secure with its prefix under https', async () => {
    const b = browser();
    const response = await b.login('alice', 'correct horse');
    const line = response.headers.getSetCookie().find((c) => c.startsWith(COOKIE));
    expect(line).toMatch(/HttpOnly/i);
    expect(line).toMatch(/SameSite=Lax/i);
    expect(line).not.toMatch(/Secure/);
    const https = await handleAuth(t.app, new Request('https://hub.example/api/auth/csrf'), {
      action: ['csrf'],
      publicUrl: 'https://hub.example',
      ip: null,
    });
    expect(https.headers.getSetCookie().join()).toMatch(/__Host-next-auth\.csrf-token=.*Secure/);
  });

  test('the database holds only a hash of what the cookie carries', async () => {
    const b = browser();
    await b.login('alice', 'correct horse');
    const { rows } = await t.app.db.query('SELECT id_hash FROM session');
    for (const row of rows) expect(row.id_hash).toHaveLength(32);
    expect(JSON.stringify(rows)).not.toContain(b.jar.get(COOKIE));
  });

  test.each([
    ['alice', 'wrong'],
    ['nobody-at-all', 'correct horse'],
    ['alice', ''],
    ['', ''],
    ['alice\0', 'correct horse'],
    ["' OR 1=1 --", 'x'],
    ['alice', 'x'.repeat(10_000)],
  ])('%j with %j is refused with the one answer', async (username, password) => {
    const b = browser('192.0.2.1');
    const response = await b.login(username, password);
    expect(response.status).toBe(401);
    expect(((await response.json()) as { url: string }).url).toContain('error=CredentialsSignin');
    expect(await b.who()).toBeNull();
  });

  test('without the CSRF token, from a foreign page, or with a body too large nobody is signed in', async () => {
    const b = browser();
    await b.send('/api/auth/callback/credentials', { username: 'alice', password: 'correct horse' });
    expect(await b.who()).toBeNull();
    const { csrfToken } = (await (await b.send('/api/auth/csrf')).json()) as { csrfToken: string };
    const form = { csrfToken, username: 'alice', password: 'correct horse', json: 'true' };
    const path = '/api/auth/callback/credentials';
    expect((await b.send(path, form, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await b.send(path, form, { origin: 'null' })).status).toBe(403);
    expect((await b.send(path, form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await b.send(path, { ...form, pad: 'x'.repeat(20_000) })).status).toBe(400);
    expect(await b.who()).toBeNull();
    expect((await b.send(path, form, { origin: url })).status).toBe(200);
    expect(await b.who()).toBe('alice');
  });

  test('ten wrong passwords shut out that address for that account, and nobody else', async () => {
    const thief = browser('203.0.113.9');
    for (let i = 0; i < 10; i += 1) expect((await thief.login('bob', `guess ${i}`)).status).toBe(401);
    const refused = await thief.login('bob', 'battery staple');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(200);
    expect(await refused.json()).toMatchObject({ url: `${url}/login?error=RateLimited` });
    const owner = browser('198.51.100.7');
    expect((await owner.login('bob', 'battery staple')).status).toBe(200);
    expect(await owner.who()).toBe('bob');
  });

  test('guessing one password from many addresses is stopped too, and sessions of the owner go on', async () => {
    const owner = browser('198.51.100.20');
    await owner.login('bob', 'battery staple');
    const statuses = new Set<number>();
    for (let i = 0; i < 95; i += 1) {
      statuses.add((await browser(`203.0.113.${100 + i}`).login('bob', `guess ${i}`)).status);
    }
    expect([...statuses].sort()).toEqual([401, 429]);
    expect((await browser('198.51.100.21').login('bob', 'battery staple')).status).toBe(429);
    expect(await owner.who()).toBe('bob');
    await t.app.db.query('DELETE FROM throttle');
  });

  test('many honest sign-ins are never throttled', async () => {
    for (let i = 0; i < 15; i += 1) {
      expect((await browser('198.51.100.8').login('alice', 'correct horse')).status).toBe(200);
    }
  });
});

describe('ending a session', () => {
  test('signing out ends it in the database: a copy of the cookie is worth nothing afterwards', async () => {
    const b = browser();
    await b.login('alice', 'correct horse');
    const copy = b.header();
    const { csrfToken } = (await (await b.send('/api/auth/csrf')).json()) as { csrfToken: string };
    expect((await readSession(t.app, copy))?.name).toBe('alice');
    await b.send('/api/auth/signout', { csrfToken, json: 'true' });
    expect(b.jar.has(COOKIE)).toBe(false);
    expect(await readSession(t.app, copy)).toBeNull();
    const answer = await fetch(`${url}/api/auth/session`, { headers: { cookie: copy } });
    expect(await answer.json()).toEqual({});
  });

  test('signing in again ends the session that the browser had (no fixation)', async () => {
    const b = browser();
    await b.login('alice', 'correct horse');
    const old = b.header();
    await b.login('bob', 'battery staple');
    expect(await b.who()).toBe('bob');
    expect(await readSession(t.app, old)).toBeNull();
  });

  test('a forged, truncated or foreign cookie is nobody, never an error', async () => {
    const b = browser();
    await b.login('alice', 'correct horse');
    const real = b.jar.get(COOKIE) as string;
    for (const value of ['x', '', real.slice(0, -4), `${real}A`, 'a.b.c.d.e', '\u0000', 'x'.repeat(9_000)]) {
      expect(await readSession(t.app, `${COOKIE}=${value}`)).toBeNull();
    }
    expect(await readSession(t.app, `__Secure-${COOKIE}=${real}`)).not.toBeNull();
    const https = { ...t.app, config: { ...t.app.config, LARDER_URL: 'https://hub.example' } };
    expect(await readSession(https, `${COOKIE}=${real}`)).toBeNull();
  });
});

describe('redirects after signing in', () => {
  test.each([
    '//evil.example',
    '/\\evil.example',
    '/%5cevil.example',
    '/%2fevil.example',
    'https:evil.example',
    'https://evil.example/x',
    'javascript:alert(1)',
    '/\t/evil.example',
    '/\r\nset-cookie: a=b',
    'http://127.0.0.1.evil.example',
    '\\\\evil',
    '',
    'x',
    'data:text/html,x',
    '///evil.example',
    '/\u0000x',
  ])('%j leads home', async (callbackUrl) => {
    const response = await browser().login('alice', 'correct horse', { callbackUrl });
    const { url: to } = (await response.json()) as { url: string };
    expect([`${url}/`, url]).toContain(to);
  });

  test('a path of this hub, relative or absolute, is kept', async () => {
    for (const callbackUrl of ['/alice/model?tab=files#x', `${url}/alice/model?tab=files#x`]) {
      const response = await browser().login('alice', 'correct horse', { callbackUrl });
      expect(await response.json()).toEqual({ url: `${url}/alice/model?tab=files#x` });
    }
  });
});

test('next-auth answers nothing but what is used here', async () => {
  for (const [path, form] of [
    ['/api/auth/_log', { code: 'x', level: 'error' }],
    ['/api/auth/callback/google', {}],
    ['/api/auth/session', { csrfToken: 'x' }],
    ['/api/auth/verify-request', undefined],
    ['/api/auth/', undefined],
  ] as const) {
    expect((await browser().send(path, form as Record<string, string> | undefined)).status).toBe(404);
  }
});
