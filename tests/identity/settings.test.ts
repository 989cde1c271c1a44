import { encode } from 'next-auth/jwt';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDb } from '#lib/base/db.ts';
import { authenticate } from '#lib/identity/authenticate.ts';
import { createUser } from '#lib/identity/create-user.ts';
import { createSession, SESSION_MS, sessionSecret } from '#lib/identity/session.ts';
import { routes } from '#lib/wire/hub/routes.ts';
import { sendJson } from '#lib/wire/respond.ts';
import { route } from '#lib/wire/route.ts';
import { startWire, type TestWire } from '#tests/support/wire.ts';

/** Says who the wrapper thinks asks. */
const who = route(
  ['GET', 'POST'],
  '/who',
  { operation: 'test.who', access: 'public', scope: 'read' },
  async (ctx, _req, res) => {
    const p = ctx.principal;
    sendJson(
      res,
      200,
      p.kind === 'user' ? { name: p.name, via: p.via, orgs: p.orgs, role: p.token?.role } : {},
    );
  },
);

let hub: TestWire;
beforeAll(async () => {
  hub = await startWire([...routes, who]);
});
afterAll(() => hub.close());

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { error?: string };
}
async function send(
  method: string,
  path: string,
  options: { as?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const response = await fetch(`${hub.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...options.as },
    ...(options.body === undefined
      ? {}
      : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  };
}

let counter = 0;
/** A new user with a session, as the headers that their browser sends. */
async function newUser(prefix = 'user') {
  counter += 1;
  const name = `${prefix}-${'abcdefghjk'[counter % 10]}${'qrstuvxyz'[Math.floor(counter / 10) % 9]}${counter + 20}x`;
  await hub.app.db.query('DELETE FROM throttle');
  const user = await createUser(hub.ctxFor(), { name, password: 'correct horse' });
  return { name, id: user.id, session: await newSession(user.id) };
}
async function newSession(userId: string): Promise<Record<string, string>> {
  const sid = await createSession(hub.app.db, hub.app.clock, userId, null);
  const cookie = await encode({ token: { sid }, secret: sessionSecret(hub.app), maxAge: SESSION_MS / 1000 });
  return { cookie: `next-auth.session-token=${cookie}`, origin: hub.url };
}
async function newToken(
  session: Record<string, string>,
  role: 'read' | 'write',
  name: string = role,
): Promise<{ id: string; bearer: Record<string, string>; token: string }> {
  const { status, body } = await send('POST', '/api/settings/tokens', { as: session, body: { name, role } });
  expect(status).toBe(201);
  return {
    id: String(body.id),
    token: String(body.token),
    bearer: { authorization: `Bearer ${body.token}` },
  };
}

describe('access tokens', () => {
  test('a token is shown once in the form clients insist on, stored as a hash, and is its user afterwards', async () => {
    const { name, session } = await newUser();
    const { token, bearer } = await newToken(session, 'write');
    expect(token).toMatch(/^hf_[A-Za-z0-9]{40}$/);
    expect((await send('GET', '/who', { as: bearer })).body).toMatchObject({
      name,
      via: 'token',
      role: 'write',
    });
    const list = await send('GET', '/api/settings/tokens', { as: session });
    expect(list.body.tokens).toMatchObject([{ name: 'write', role: 'write', hint: token.slice(-4) }]);
    const everything = await hub.app.db.query(
      `SELECT (SELECT json_agg(t) FROM access_token t)::text || (SELECT json_agg(a) FROM audit_event a)::text AS dump`,
    );
    expect(everything.rows[0].dump).not.toContain(token.slice(3, -4));
    expect(JSON.stringify(list.body)).not.toContain(token);
  });

  test.each([
    ['Bearer', (t: string) => `Bearer ${t}`],
    ['bearer in lower case', (t: string) => `bearer ${t}`],
    ['Basic password', (t: string) => `Basic ${Buffer.from(`any:${t}`).toString('base64')}`],
    ['Basic user name', (t: string) => `Basic ${Buffer.from(`${t}:`).toString('base64')}`],
    ['Basic user name without a colon', (t: string) => `Basic ${Buffer.from(t).toString('base64')}`],
    [
      'Basic user name with a dummy password',
      (t: string) => `Basic ${Buffer.from(`${t}:x-oauth-basic`).toString('base64')}`,
    ],
  ])('the same token as %s is the same principal with the same limits', async (_, header) => {
    const { name, session } = await newUser();
    const { token } = await newToken(session, 'read');
    const as = { authorization: header(token) };
    expect((await send('GET', '/who', { as })).body).toMatchObject({ name, role: 'read' });
    expect((await send('POST', '/api/organizations', { as, body: { name: 'Nope-Inc' } })).status).toBe(403);
    expect(
      (await send('POST', '/api/settings/tokens', { as, body: { name: 'x', role: 'write' } })).status,
    ).toBe(403);
  });

  test('a token in the query, in a cookie or in another header is nobody', async () => {
    const { session } = await newUser();
    const { token } = await newToken(session, 'write');
    expect((await send('GET', `/who?token=${token}&access_token=${token}`)).body).toEqual({});
    expect(
      (await send('GET', '/who', { as: { cookie: `token=${token}; next-auth.session-token=${token}` } }))
        .body,
    ).toEqual({});
    expect((await send('GET', '/who', { as: { 'x-api-key': token } })).body).toEqual({});
  });

  test.each([
    'Bearer hf_wrongwrongwrongwrongwrongwrongwrongwrong',
    'Bearer ',
    'Bearer',
    'Bearer sk-123456789',
    `Bearer hf_${'a'.repeat(8_000)}`,
    'Bearer hf_аbcdefghijklmnopqrstuvwxyz0123456789abcd',
    'Basic !!!!',
    `Basic ${Buffer.from('alice:correct horse').toString('base64')}`,
    `Basic ${Buffer.from('alice:hf_a\0b567890').toString('base64')}`,
    'Digest username="alice"',
    'hf_wrongwrongwrongwrongwrongwrongwrongwrong',
  ])(
    '%.60j is refused with 401 and the message clients know, although a valid cookie comes along',
    async (authorization) => {
      const { session } = await newUser();
      const bytes = Buffer.from(authorization, 'utf8').toString('latin1');
      const { status, headers, body } = await send('GET', '/who', {
        as: { ...session, authorization: bytes },
      });
      expect(status).toBe(401);
      expect(body.error).toBe('Invalid credentials in Authorization header');
      expect(headers.get('x-error-message')).toBe('Invalid credentials in Authorization header');
    },
  );

  test('a revoked token is dead on the next request, and cannot be revoked twice or by others', async () => {
    const { session } = await newUser();
    const other = await newUser();
    const { id, bearer } = await newToken(session, 'write');
    expect((await send('GET', '/who', { as: bearer })).status).toBe(200);
    expect((await send('DELETE', `/api/settings/tokens/${id}`, { as: other.session })).status).toBe(404);
    expect((await send('GET', '/who', { as: bearer })).status).toBe(200);
    expect((await send('DELETE', `/api/settings/tokens/${id}`, { as: session })).status).toBe(200);
    expect((await send('GET', '/who', { as: bearer })).status).toBe(401);
    expect((await send('DELETE', `/api/settings/tokens/${id}`, { as: session })).status).toBe(404);
  });

  test('a token that another process revoked works for five seconds at most', async () => {
    const { session } = await newUser();
    const { id, bearer } = await newToken(session, 'write');
    let nowMs = Date.now();
    const db = createDb({ url: hub.databaseUrl, maxConnections: 2, applicationName: 'other process' });
    try {
      const other = { ...hub.app, db, clock: { now: () => nowMs } };
      await authenticate(other, bearer);
      await send('DELETE', `/api/settings/tokens/${id}`, { as: session });
      nowMs += 5_001;
      await expect(authenticate(other, bearer)).rejects.toThrow('Invalid credentials');
    } finally {
      await db.end();
    }
  });

  test('a name is unique among live tokens and free again after revocation', async () => {
    const { session } = await newUser();
    const { id } = await newToken(session, 'read', 'CI');
    const again = () =>
      send('POST', '/api/settings/tokens', { as: session, body: { name: 'ci', role: 'read' } });
    expect((await again()).status).toBe(409);
    await send('DELETE', `/api/settings/tokens/${id}`, { as: session });
    expect((await again()).status).toBe(201);
  });

  test('an expired token and the token of a suspended user are refused', async () => {
    const { id, session } = await newUser();
    const soon = await send('POST', '/api/settings/tokens', {
      as: session,
      body: { name: 'short', role: 'read', expiresInDays: 1 },
    });
    const bearer = { authorization: `Bearer ${soon.body.token}` };
    expect((await send('GET', '/who', { as: bearer })).status).toBe(200);
    const { token } = await newToken(session, 'write');
    await hub.app.db.query(`UPDATE access_token SET expires_at = now() WHERE name = 'short'`);
    await hub.app.db.query('UPDATE user_account SET suspended_at = now() WHERE id = $1', [id]);
    expect((await send('GET', '/who', { as: { authorization: `Bearer ${token}` } })).status).toBe(401);
    await hub.app.db.query('UPDATE user_account SET suspended_at = NULL WHERE id = $1', [id]);
    const later = { ...hub.app, clock: { now: () => Date.now() + 6_000 } };
    await expect(authenticate(later, bearer)).rejects.toThrow('Invalid credentials');
  });

  test('a token cannot make tokens or change the password: it dies with its revocation', async () => {
    const { session } = await newUser();
    const { bearer } = await newToken(session, 'write');
    expect(
      (await send('POST', '/api/settings/tokens', { as: bearer, body: { name: 'x', role: 'read' } })).status,
    ).toBe(403);
    const body = { currentPassword: 'correct horse', newPassword: 'better horse' };
    expect((await send('PUT', '/api/settings/password', { as: bearer, body })).status).toBe(403);
    expect((await send('PUT', '/api/settings/account', { as: bearer, body: { fullname: 'X' } })).status).toBe(
      403,
    );
  });

  test('last use is recorded at most once a minute', async () => {
    const { session } = await newUser();
    const { id, token } = await newToken(session, 'read');
    const used = async (afterMs: number) => {
      const app = { ...hub.app, clock: { now: () => Date.now() + afterMs } };
      await authenticate(app, { authorization: `Bearer ${token}` });
      const { rows } = await hub.app.db.query('SELECT last_used_at FROM access_token WHERE id = $1', [id]);
      return (rows[0].last_used_at as Date).getTime();
    };
    const first = await used(0);
    expect(await used(30_000)).toBe(first);
    expect(await used(70_000)).toBeGreaterThan(first + 60_000);
  });
});

describe('changes by cookie', () => {
  test.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    {},
  ])('are refused when they come with %j', async (headers) => {
    const { session } = await newUser();
    const as = { cookie: String(session.cookie), ...headers };
    expect((await send('POST', '/api/organizations', { as, body: { name: 'Forged-Org' } })).status).toBe(403);
    const { rowCount } = await hub.app.db.query(`SELECT 1 FROM namespace WHERE name_key = 'forged-org'`);
    expect(rowCount).toBe(0);
  });
});

describe('accounts', () => {
  beforeEach(() => hub.app.db.query('DELETE FROM throttle'));

  test('sign-up makes an account that can sign in; a taken, reserved or look-alike name is refused', async () => {
    const password = 'correct horse';
    const ok = await send('POST', '/api/signup', {
      body: { username: 'OpenModels', email: 'om@example.org', password },
    });
    expect(ok.status).toBe(201);
    expect(ok.body).toMatchObject({ name: 'OpenModels' });
    for (const [username, status] of [
      ['openmodels', 409],
      ['OPENMODELS', 409],
      ['0penmode1s', 409],
      ['open-models', 409],
      ['api', 400],
      ['.', 400],
      ['..', 400],
      ['-x', 400],
      ['con', 400],
      ['_next', 400],
      ['a b', 400],
      ['оpenmodels2', 400],
      ['x\u200by', 400],
      ['🤗🤗', 400],
      ['x'.repeat(200), 400],
      ['a/b', 400],
    ] as const) {
      const answer = await send('POST', '/api/signup', { body: { username, password } });
      expect([username, answer.status]).toEqual([username, status]);
      expect(answer.body.error).toMatch(/^name /);
    }
    const sameMail = { username: 'another-one', email: 'OM@example.org', password };
    expect((await send('POST', '/api/signup', { body: sameMail })).status).toBe(409);
  });

  test('the name of an account that is gone is never given again', async () => {
    const { id, name } = await newUser('gone');
    await hub.app.db.query('UPDATE namespace SET deleted_at = now() WHERE id = $1', [id]);
    const answer = await send('POST', '/api/signup', { body: { username: name, password: 'correct horse' } });
    expect(answer.status).toBe(409);
  });

  test('twenty sign-ups for one name at once make one account', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, () =>
        send('POST', '/api/signup', { body: { username: 'racer', password: 'correct horse' } }),
      ),
    );
    expect(all.filter((a) => a.status === 201)).toHaveLength(1);
    expect(all.filter((a) => a.status === 409)).toHaveLength(19);
  });

  test('one address cannot sign up without end', async () => {
    const answers = [];
    for (let i = 0; i < 31; i += 1) {
      answers.push(
        (await send('POST', '/api/signup', { body: { username: 'racer', password: 'correct horse' } }))
          .status,
      );
    }
    expect(answers.slice(0, 30)).toEqual(Array(30).fill(409));
    expect(answers[30]).toBe(429);
  });

  test.each([
    { username: { not: '' }, password: 'correct horse' },
    { username: ['x'], password: 'correct horse' },
    { username: 12345, password: 'correct horse' },
    { username: 'abc', password: 'short' },
    { username: 'abc', password: null },
    { username: 'abc', email: 'not an address', password: 'correct horse' },
    { username: 'abc', fullname: 'two\nlines', password: 'correct horse' },
    { username: 'abc', fullname: 'nul\0', password: 'correct horse' },
    { username: 'abc', fullname: '\u202eevil', password: 'correct horse' },
    '[]',
    '"x"',
    'null',
    '{"username": NaN}',
    '\ufeff{}',
    '{',
    `${'['.repeat(8_000)}${']'.repeat(8_000)}`,
    '{"__proto__": {"username": "abc", "password": "correct horse"}}',
  ])('%.80j is 400 and makes nothing', async (body) => {
    const answer = await send('POST', '/api/signup', { body });
    expect(answer.status).toBe(400);
    expect((await hub.app.db.query(`SELECT 1 FROM namespace WHERE name_key = 'abc'`)).rowCount).toBe(0);
  });

  test('sign-up switched off is 403 with the reason, but an administrator may still make accounts', async () => {
    const { id } = await newUser('boss');
    await hub.app.db.query('UPDATE user_account SET is_admin = true WHERE id = $1', [id]);
    const closed = await startWire(routes, { LARDER_SIGNUP: 'false' });
    try {
      const response = await fetch(`${closed.url}/api/signup`, {
        method: 'POST',
        body: JSON.stringify({ username: 'stranger', password: 'correct horse' }),
      });
      expect(response.status).toBe(403);
      expect(((await response.json()) as { error: string }).error).toContain('switched off');
    } finally {
      await closed.close();
    }
    const principal = await authenticate(hub.app, { cookie: String((await newSession(id)).cookie) });
    const off = { ...hub.ctxFor(principal), config: { ...hub.app.config, LARDER_SIGNUP: false } };
    expect(await createUser(off, { name: 'invited', password: 'correct horse' })).toMatchObject({
      name: 'invited',
    });
  });

  test('a new password needs the old one, ends every other session and keeps this one', async () => {
    const { id, session } = await newUser();
    const other = await newSession(id);
    const put = (currentPassword: string, newPassword: string) =>
      send('PUT', '/api/settings/password', { as: session, body: { currentPassword, newPassword } });
    expect((await put('wrong', 'a better horse')).status).toBe(403);
    expect((await put('correct horse', 'short')).status).toBe(400);
    expect((await send('GET', '/who', { as: other })).body).toMatchObject({ via: 'session' });
    expect((await put('correct horse', 'a better horse')).status).toBe(200);
    expect((await send('GET', '/who', { as: other })).body).toEqual({});
    expect((await send('GET', '/who', { as: session })).body).toMatchObject({ via: 'session' });
    expect((await put('a better horse', 'correct horse')).status).toBe(200);
  });

  test('full name and e-mail change; what is left out stays', async () => {
    const { name, session } = await newUser();
    const put = (body: unknown) => send('PUT', '/api/settings/account', { as: session, body });
    expect((await put({ fullname: '  Ada L. ', email: 'ada@example.org' })).body).toEqual({
      name,
      fullname: 'Ada L.',
      email: 'ada@example.org',
    });
    expect((await put({ fullname: '李雷' })).body).toEqual({
      name,
      fullname: '李雷',
      email: 'ada@example.org',
    });
    expect((await put({ email: null })).body).toEqual({ name, fullname: '李雷', email: null });
    expect((await put({ fullname: '' })).status).toBe(400);
  });
});

describe('organizations', () => {
  const setRole = (as: Record<string, string>, org: string, user: string, role: string) =>
    send('PUT', `/api/organizations/${org}/members/${user}/role`, { as, body: { role } });

  test('the maker is admin; roles count on the next request; only admins change them; the last admin stays', async () => {
    const [ada, bob, eve] = [await newUser('ada'), await newUser('bob'), await newUser('eve')];
    const org = `lab-${ada.name}`;
    expect(
      (
        await send('POST', '/api/organizations', {
          as: ada.session,
          body: { name: org, fullname: 'The Lab' },
        })
      ).status,
    ).toBe(201);
    expect((await send('GET', '/who', { as: ada.session })).body.orgs).toMatchObject([
      { name: org, role: 'admin' },
    ]);
    expect((await setRole(eve.session, org, eve.name, 'admin')).status).toBe(403);
    expect((await setRole(ada.session, org, bob.name, 'contributor')).status).toBe(200);
    expect((await send('GET', '/who', { as: bob.session })).body.orgs).toMatchObject([
      { name: org, role: 'contributor' },
    ]);
    expect((await setRole(bob.session, org, eve.name, 'read')).status).toBe(403);
    expect((await setRole(ada.session, org, ada.name, 'write')).status).toBe(400);
    expect((await setRole(ada.session, org, ada.name, 'no_access')).status).toBe(400);
    expect((await setRole(ada.session, org, 'ghost', 'read')).status).toBe(404);
    expect((await setRole(ada.session, 'ghost-org', bob.name, 'read')).status).toBe(404);
    expect((await setRole(ada.session, org, bob.name, 'god')).status).toBe(400);
    expect((await setRole(bob.session, org, bob.name, 'no_access')).status).toBe(200);
    expect((await send('GET', '/who', { as: bob.session })).body.orgs).toEqual([]);
    const members = await send('GET', `/api/organizations/${org}/members`, { as: ada.session });
    expect(members.body).toMatchObject([{ user: ada.name, type: 'user', role: 'admin' }]);
    const seenByEve = await send('GET', `/api/organizations/${org}/members`, { as: eve.session });
    expect(JSON.stringify(seenByEve.body)).not.toContain('role');
    expect((await send('GET', `/api/organizations/${org}/members`)).status).toBe(401);
  });

  test('two admins who demote each other at the same moment leave one admin', async () => {
    const [ada, bob] = [await newUser('ada'), await newUser('bob')];
    const org = `duo-${ada.name}`;
    await send('POST', '/api/organizations', { as: ada.session, body: { name: org } });
    await setRole(ada.session, org, bob.name, 'admin');
    const answers = await Promise.all([
      setRole(ada.session, org, bob.name, 'read'),
      setRole(bob.session, org, ada.name, 'read'),
    ]);
    expect(answers.map((a) => a.status).sort()).not.toEqual([200, 200]);
    const { rows } = await hub.app.db.query(
      `SELECT count(*) AS n FROM membership m JOIN namespace n ON n.id = m.org_id WHERE n.name = $1 AND m.role = 'admin'`,
      [org],
    );
    expect(rows[0].n).toBe(1);
  });

  test('every change leaves one audit event that says who, and a refused one leaves none', async () => {
    const [ada, bob] = [await newUser('ada'), await newUser('bob')];
    const org = `aud-${ada.name}`;
    await send('POST', '/api/organizations', { as: ada.session, body: { name: org } });
    await setRole(ada.session, org, bob.name, 'write');
    await setRole(bob.session, org, bob.name, 'admin');
    const { rows } = await hub.app.db.query(
      'SELECT action, actor_id, ip, details FROM audit_event WHERE subject = $1 ORDER BY id',
      [`org:${org}`],
    );
    expect(rows).toEqual([
      { action: 'org.create', actor_id: ada.id, ip: expect.stringContaining('127.0.0.1'), details: {} },
      {
        action: 'org.member',
        actor_id: ada.id,
        ip: expect.stringContaining('127.0.0.1'),
        details: { user: bob.name, role: 'write' },
      },
    ]);
  });
});
