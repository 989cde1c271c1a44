import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import { sendJson } from '#lib/wire/respond.ts';
import { route } from '#lib/wire/route.ts';
import { startWire, type TestWire } from '#tests/support/wire.ts';

const echo = z.object({ name: z.string() });
const probes = [
  route('GET', '/api/probe/ok', { operation: 'probe.ok', access: 'public' }, async (ctx, _req, res) => {
    sendJson(res, 200, { url: ctx.publicUrl });
  }),
  route('POST', '/api/probe/json', { operation: 'probe.json', access: 'public' }, async (_ctx, req, res) => {
    sendJson(res, 200, await req.json(echo, 100));
  }),
  route('GET', '/api/probe/secret', { operation: 'probe.crash', access: 'public' }, async () => {
    throw new Error('password=hunter2 at /srv/x.ts:1');
  }),
  route('GET', '/api/probe/missing', { operation: 'probe.missing', access: 'public' }, async () => {
    throw hubError('entry_not_found', 'Entry not found', { details: { commitOid: 'a'.repeat(40) } });
  }),
  route('GET', '/api/probe/repo', { operation: 'probe.repo', access: 'repo.read' }, async () => {
    throw hubError('repo_not_found', 'Repository not found');
  }),
  route('GET', '/api/probe/user', { operation: 'probe.user', access: 'user' }, async (_ctx, _req, res) => {
    sendJson(res, 200, {});
  }),
  route(
    'GET',
    '/api/probe/slow',
    { operation: 'probe.slow', access: 'public', timeoutMs: 100 },
    async (ctx) => {
      await new Promise((_, reject) =>
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)),
      );
    },
  ),
];

describe('the wrapper of all routes', () => {
  let wire: TestWire;
  beforeAll(async () => {
    wire = await startWire(probes);
  });
  afterAll(() => wire.close());
  const get = (path: string, init?: RequestInit) => fetch(`${wire.url}${path}`, init);

  test('a request id is echoed, and a trace id is contained in ours', async () => {
    expect(
      (await get('/api/probe/ok', { headers: { 'x-request-id': 'abc' } })).headers.get('x-request-id'),
    ).toBe('abc');
    const traced = await get('/api/probe/ok', { headers: { 'x-amzn-trace-id': 'Root=1-2' } });
    expect(traced.headers.get('x-request-id')).toContain('Root=1-2');
    expect((await get('/api/probe/nothing')).headers.get('x-request-id')).toBeTruthy();
  });

  test('an unknown fault tells the client its request id and nothing else', async () => {
    const res = await get('/api/probe/secret', { headers: { 'x-request-id': 'id-1' } });
    expect(res.status).toBe(500);
    expect(await res.text()).toBe(JSON.stringify({ error: 'Internal error (request id-1)' }));
    expect(res.headers.get('x-error-message')).not.toContain('hunter2');
  });

  test('a refusal has the same message in header and body, its code, and the commit it was looked up in', async () => {
    const res = await get('/api/probe/missing');
    expect(res.status).toBe(404);
    expect(res.headers.get('x-error-code')).toBe('EntryNotFound');
    expect(res.headers.get('x-error-message')).toBe('Entry not found');
    expect(res.headers.get('x-repo-commit')).toBe('a'.repeat(40));
  });

  test('a repo that is missing or hidden is 401 RepoNotFound for who is nobody', async () => {
    const res = await get('/api/probe/repo');
    expect([res.status, res.headers.get('x-error-code')]).toEqual([401, 'RepoNotFound']);
    expect(res.headers.get('www-authenticate')).toBeNull();
  });

  test('a bad token is 401 with the exact sentence clients look for, on public routes too', async () => {
    const res = await get('/api/probe/ok', {
      headers: { authorization: 'Bearer hf_wrongwrongwrongwrongwrongwrongwrongwrong' },
    });
    expect(res.status).toBe(401);
    expect(res.headers.get('x-error-message')).toBe('Invalid credentials in Authorization header');
  });

  test('a route for users refuses nobody in particular with 401', async () => {
    expect((await get('/api/probe/user')).status).toBe(401);
  });

  test('a wrong method is 405 and names the right one; an unknown wire path is JSON, not a page', async () => {
    const wrong = await get('/api/probe/ok', { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
    const unknown = await get('/api/models/gpt2');
    expect([unknown.status, unknown.headers.get('x-error-code')]).toEqual([401, 'RepoNotFound']);
    expect(await (await get('/no/such/page')).text()).toBe('page');
  });

  test('a body that is no JSON, has a wrong type or is too large is refused by name', async () => {
    const post = (body: string) => get('/api/probe/json', { method: 'POST', body });
    expect((await post('{')).status).toBe(400);
    const typed = await post('{"name":{"not":""}}');
    expect([typed.status, ((await typed.json()) as { error: string }).error]).toEqual([
      400,
      expect.stringContaining('"name"'),
    ]);
    expect((await post(JSON.stringify({ name: 'x'.repeat(200) }))).status).toBe(413);
    expect(await (await post('{"name":"ok","unknown":1}')).json()).toEqual({ name: 'ok' });
  });

  test('links follow the address that the client used when it is this machine, and never a forged host', async () => {
    const own = (await (await get('/api/probe/ok')).json()) as { url: string };
    expect(own.url).toBe(wire.url);
    const { request } = await import('node:http');
    const forged = await new Promise<string>((resolve) => {
      request(`${wire.url}/api/probe/ok`, { headers: { host: 'evil.example' } }, (res) => {
        res.on('data', (d: Buffer) => resolve(d.toString()));
      }).end();
    });
    expect(forged).not.toContain('evil');
  });

  test('a deadline ends a handler as 503 with Retry-After', async () => {
    const res = await get('/api/probe/slow');
    expect([res.status, res.headers.get('retry-after')]).toEqual([503, '2']);
  });

  test('browsers elsewhere may call with a token: CORS without credentials', async () => {
    const res = await get('/api/probe/ok', {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'GET', origin: 'https://a.example' },
    });
    expect([
      res.status,
      res.headers.get('access-control-allow-origin'),
      res.headers.get('access-control-allow-credentials'),
    ]).toEqual([204, '*', null]);
  });
});
