import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import { SYSTEM } from '#lib/identity/principal.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import type { Access, Route } from '#lib/wire/route.ts';
import { routes } from '#lib/wire/routes.ts';
import { startWire, type TestWire } from '#tests/support/wire.ts';

/**
 * Made from the table of routes, so that a new route is tried the day it is added: by nobody, a stranger, a
 * reader and a read-only token of the owner, against a private repo (and endpoint) of an organization.
 */
const token = (who: string) => `hf_${who.padEnd(40, 'x')}`;
const CALLERS = ['stranger', 'reader', 'ownerRead'] as const;
const ACCESSES: readonly Access[] = [
  'public',
  'user',
  'admin',
  'repo.read',
  'repo.write',
  'repo.admin',
  'endpoint.use',
  'endpoint.manage',
  'signedUrl',
  'xetToken',
];

/** Bodies of routes that name the repo there instead of in the path. */
const BODIES: Readonly<Record<string, (name: string) => unknown>> = {
  'repo.delete': (name) => ({ type: 'model', organization: 'acme', name }),
  'repo.create': () => ({ type: 'model', organization: 'acme', name: 'new-one' }),
  'repo.move': (name) => ({ type: 'model', fromRepo: `acme/${name}`, toRepo: 'stranger/taken' }),
  'repo.duplicate': () => ({ repository: 'stranger/copy' }),
  'endpoint.create': (name) => ({ repo: { type: 'model', namespace: 'acme', name } }),
};

function pathOf(route: Route, name: string): string {
  return (route.patterns[0] ?? '')
    .replace(/:type\([^)]*\)/, 'models')
    .replace(/:ns\b/, 'acme')
    .replace(/:name\b/, name)
    .replace(/:[a-zA-Z]+\(([^)|]+)[^)]*\)/g, '$1')
    .replace(/:[a-zA-Z]+/g, 'main')
    .replace(/\*rest$/, 'main/README.md');
}

describe('who may not, may not: every route of the wire', () => {
  let wire: TestWire;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'larder-deny-'));
    const user = (name: string, role: 'read' | 'write') => ({
      name,
      fullname: name,
      tokens: [{ name: 'test', token: token(name), role }],
    });
    const seed = {
      users: [user('stranger', 'write'), user('reader', 'write'), user('ownerRead', 'read')],
      organizations: [
        {
          name: 'acme',
          fullname: 'Acme',
          members: [
            { user: 'reader', role: 'read' },
            { user: 'ownerRead', role: 'admin' },
          ],
        },
      ],
    };
    await writeFile(join(dir, 'seed.json'), JSON.stringify(seed));
    wire = await startWire(routes, {
      LARDER_SEED: join(dir, 'seed.json'),
      LARDER_ADMIN_PASSWORD: 'correct horse battery',
    });
    await bootstrap(wire.app);
    const ctx = wire.ctxFor(SYSTEM);
    const { rows } = await wire.app.db.query<{ id: string }>(
      `select id from namespace where name_key = 'ownerread'`,
    );
    const orgId =
      (await wire.app.db.query<{ id: string }>(`select id from namespace where name_key = 'acme'`)).rows[0]
        ?.id ?? '';
    const owner = {
      kind: 'user',
      id: rows[0]?.id ?? '',
      name: 'ownerRead',
      fullname: '',
      email: null,
      isAdmin: false,
      via: 'session',
      token: null,
      orgs: [{ id: orgId, name: 'acme', fullname: 'Acme', role: 'admin' }],
    } as const;
    const repo = await createRepo(
      { ...ctx, principal: owner },
      { type: 'model', namespace: 'acme', name: 'secret', visibility: 'private' },
    );
    await wire.app.db.query(
      `insert into endpoint (id, namespace_id, name, name_key, repo_id, commit_oid, path, sha256, engine, desired, state, created_by)
       values ($1, $2, 'secret', 'secret', $3, $4, 'm.gguf', $5, 'llama-cpp-node', 'stopped', 'stopped', $6)`,
      ['a'.repeat(24), orgId, repo.id, Buffer.alloc(20), Buffer.alloc(32), owner.id],
    );
  });
  afterAll(async () => {
    await wire.close();
    await rm(dir, { recursive: true, force: true });
  });

  async function call(route: Route, method: string, name: string, who: string | null) {
    const body =
      method === 'GET' || method === 'HEAD'
        ? undefined
        : JSON.stringify(BODIES[route.meta.operation]?.(name) ?? {});
    const headers: Record<string, string> = { 'x-request-id': 'same' };
    if (body) headers['content-type'] = 'application/json';
    if (who) headers.authorization = `Bearer ${token(who)}`;
    const res = await fetch(`${wire.url}${pathOf(route, name)}`, {
      method,
      headers,
      body: body ?? null,
      redirect: 'manual',
    });
    const text = (await res.text()).replaceAll(name, 'NAME');
    return { status: res.status, code: res.headers.get('x-error-code'), text };
  }

  const each = routes.flatMap((route) =>
    route.methods.map((method) => ({ route, method, title: `${method} ${route.meta.operation}` })),
  );
  const guarded = each.filter(({ route }) => /^(?:repo|endpoint)\./.test(route.meta.access));

  test('every route has an operation of its own and a rule this test knows', () => {
    const names = routes.map((r) => r.meta.operation);
    expect(names.filter((n, i) => names.indexOf(n) !== i)).toEqual([]);
    expect(routes.filter((r) => !ACCESSES.includes(r.meta.access))).toEqual([]);
    expect(routes.length).toBeGreaterThan(30);
  });

  test.each(guarded)(
    '$title: to nobody and to strangers the private one is as if it were not',
    async ({ route, method }) => {
      for (const who of [null, 'stranger']) {
        const hidden = await call(route, method, 'secret', who);
        expect(hidden).toEqual(await call(route, method, 'nothere', who));
        expect(hidden.status, `${who ?? 'nobody'}: ${hidden.text}`).toBeGreaterThanOrEqual(400);
        expect(hidden.status).toBeLessThan(500);
      }
    },
  );

  const writes = guarded.filter(({ route }) => /write|admin|manage/.test(route.meta.access));
  test.each(writes)('$title: a reader and a read-only token change nothing', async ({ route, method }) => {
    for (const who of CALLERS) {
      const answer = await call(route, method, 'secret', who);
      expect(answer.status, `${who}: ${answer.text}`).toBeGreaterThanOrEqual(400);
      expect(answer.status, `${who}: ${answer.text}`).toBeLessThan(500);
    }
  });

  test.each(each.filter(({ route }) => route.meta.access === 'user' || route.meta.access === 'admin'))(
    '$title: nobody is asked to sign in',
    async ({ route, method }) => {
      expect((await call(route, method, 'secret', null)).status).toBe(401);
    },
  );

  test.each(each.filter(({ route }) => route.meta.access === 'admin'))(
    '$title: ordinary users are refused',
    async ({ route, method }) => {
      expect((await call(route, method, 'secret', 'stranger')).status).toBe(403);
    },
  );

  test.each(
    each.filter(({ route }) => route.meta.access === 'signedUrl' || route.meta.access === 'xetToken'),
  )(
    '$title: hub credentials open nothing where a signed link or Xet token is the right',
    async ({ route, method }) => {
      for (const who of [null, ...CALLERS]) {
        const { status } = await call(route, method, 'secret', who);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }
    },
  );
});
