import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authenticate } from '#lib/identity/authenticate.ts';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import type { App } from '#lib/identity/context.ts';
import { ANONYMOUS } from '#lib/identity/principal.ts';
import { rootKey } from '#lib/identity/root-key.ts';
import { signIn } from '#lib/identity/sign-in.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';

let t: TestApp;
let dir: string;
beforeAll(async () => {
  t = await createTestApp();
  dir = await mkdtemp(join(tmpdir(), 'larder-seed-'));
});
afterAll(async () => {
  await t.close();
  await rm(dir, { recursive: true, force: true });
});

const withConfig = (config: Partial<App['config']>): App => ({
  ...t.app,
  config: { ...t.app.config, ...config },
});
const login = (name: string, password: string) =>
  signIn(
    { ...t.app, principal: ANONYMOUS, ip: '127.0.0.1', requestId: 'test' },
    { login: name, password, userAgent: null },
  );
const dump = async () => {
  const tables = ['namespace', 'user_account', 'org', 'membership', 'access_token', 'audit_event'];
  const out: Record<string, unknown> = {};
  for (const table of tables)
    out[table] = (await t.app.db.query(`SELECT * FROM ${table} ORDER BY 1, 2`)).rows;
  return JSON.stringify(out);
};
async function seedFile(seed: unknown): Promise<string> {
  const file = join(dir, `${Math.random()}.json`);
  await writeFile(file, typeof seed === 'string' ? seed : JSON.stringify(seed));
  return file;
}

const SEED = {
  users: [
    {
      name: '__SEED_USER__',
      fullname: 'Seed User',
      email: 'seed@example.org',
      password: 'pw',
      tokens: [
        { name: 'ci', token: 'hf_94wBhPGp6KrrTH3KDchhKpRxZwd6dmHWLL', role: 'write' },
        { name: 'look', token: 'hf_seedReadToken000000000000000000000000', role: 'read' },
      ],
    },
    { name: 'boss', admin: true },
  ],
  organizations: [
    {
      name: 'valid_org',
      fullname: 'Valid Org',
      defaultPrivate: true,
      members: [
        { user: '__SEED_USER__', role: 'contributor' },
        { user: 'boss', role: 'admin' },
      ],
    },
  ],
};

describe('bootstrap', () => {
  test('the first start makes the administrator and tells a generated password once; later starts tell none', async () => {
    const first = await bootstrap(t.app);
    expect(first.adminName).toBe('admin');
    expect(first.generatedPassword).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
    expect(await login('admin', first.generatedPassword as string)).not.toBeNull();
    expect(await bootstrap(t.app)).toEqual({ adminName: 'admin' });
    expect(await login('admin', first.generatedPassword as string)).not.toBeNull();
  });

  test('a new LARDER_ADMIN_PASSWORD is applied once; a password changed afterwards survives restarts', async () => {
    const app = withConfig({ LARDER_ADMIN_PASSWORD: 'from-the-environment' });
    await bootstrap(app);
    expect(await login('admin', 'from-the-environment')).not.toBeNull();
    const hash = (await t.app.db.query(`SELECT password_hash FROM user_account WHERE is_admin`)).rows[0]
      .password_hash;
    await t.app.db.query(`UPDATE user_account SET password_hash = 'changed by the owner' WHERE is_admin`);
    await bootstrap(app);
    const after = await t.app.db.query(`SELECT password_hash FROM user_account WHERE is_admin`);
    expect(after.rows[0].password_hash).toBe('changed by the owner');
    await t.app.db.query(`UPDATE user_account SET password_hash = $1 WHERE is_admin`, [hash]);
    await bootstrap(withConfig({ LARDER_ADMIN_PASSWORD: 'recovered-by-operator' }));
    expect(await login('admin', 'recovered-by-operator')).not.toBeNull();
  });

  test('LARDER_ADMIN_TOKEN works as an access token of the administrator', async () => {
    const token = 'hf_adminTokenadminTokenadminTokenadmin00';
    await bootstrap(withConfig({ LARDER_ADMIN_TOKEN: token }));
    const principal = await authenticate(t.app, { authorization: `Bearer ${token}` });
    expect(principal).toMatchObject({ kind: 'user', name: 'admin', isAdmin: true, token: { role: 'write' } });
    await expect(bootstrap(withConfig({ LARDER_ADMIN_TOKEN: 'sk-123456' }))).rejects.toThrow(
      'must begin with hf_',
    );
  });

  test('a seed gives users, tokens, organizations and roles; applying it again changes nothing', async () => {
    const app = withConfig({ LARDER_SEED: await seedFile(SEED) });
    await bootstrap(app);
    const principal = await authenticate(t.app, {
      authorization: `Bearer ${SEED.users[0]?.tokens?.[0]?.token}`,
    });
    expect(principal).toMatchObject({
      name: '__SEED_USER__',
      fullname: 'Seed User',
      email: 'seed@example.org',
      isAdmin: false,
      token: { name: 'ci', role: 'write' },
      orgs: [{ name: 'valid_org', fullname: 'Valid Org', role: 'contributor' }],
    });
    expect(await login('__seed_user__', 'pw')).not.toBeNull();
    const before = await dump();
    await bootstrap(app);
    expect(await dump()).toBe(before);
  });

  test('a seeded token that was revoked stays revoked after a restart', async () => {
    const app = withConfig({ LARDER_SEED: await seedFile(SEED) });
    await bootstrap(app);
    await t.app.db.query(`UPDATE access_token SET revoked_at = now() WHERE name = 'look'`);
    await bootstrap(app);
    const { rows } = await t.app.db.query(`SELECT revoked_at FROM access_token WHERE name LIKE 'look%'`);
    expect(rows).toHaveLength(1);
    expect(rows[0].revoked_at).not.toBeNull();
  });

  test('two processes that bootstrap an empty hub at once agree on one administrator, one password and one root key', async () => {
    const other = await createTestApp();
    try {
      const results = await Promise.all([bootstrap(other.app), bootstrap(other.app), bootstrap(other.app)]);
      expect(results.filter((r) => r.generatedPassword !== undefined)).toHaveLength(1);
      const { rows } = await other.app.db.query('SELECT count(*) AS n FROM user_account');
      expect(rows[0].n).toBe(1);
      const keys = await Promise.all([1, 2, 3, 4].map(() => rootKey(other.app.db, other.app.config)));
      expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    } finally {
      await other.close();
    }
  });

  test.each([
    [
      { users: [{ name: 'x', tokens: [{ name: 'a', token: 'hf_canary-too-short', role: 'read' }] }] },
      'users.0.tokens.0.token',
    ],
    [
      { users: [{ name: 'x', tokens: [{ name: 'a', token: `hf_canary${'0'.repeat(30)}`, role: 'god' }] }] },
      'users.0.tokens.0.role',
    ],
    [{ users: [{ name: 'a/b' }] }, 'users.0.name'],
    [{ users: [{ name: 'x', pasword: 'hf_canary' }] }, 'users.0'],
    [{ organizations: [{ name: 'o2', members: [{ user: 'ghost', role: 'read' }] }] }, 'no user "ghost"'],
    [{ organizations: [{ name: 'admin' }] }, 'belongs to a user'],
    ['{"users": [{"token": "hf_canary', 'not valid JSON'],
  ])('a wrong seed %j is refused as a whole, naming the place and no secret', async (seed, place) => {
    const before = await dump();
    const error = await bootstrap(withConfig({ LARDER_SEED: await seedFile(seed) })).then(
      () => null,
      (e: Error) => e,
    );
    expect(error?.message).toContain(place);
    expect(`${error?.message} ${error?.stack}`).not.toContain('canary');
    expect(await dump()).toBe(before);
  });

  test('a seed file that is not there is named', async () => {
    await expect(bootstrap(withConfig({ LARDER_SEED: '/nonexistent/seed.json' }))).rejects.toThrow(
      'LARDER_SEED /nonexistent/seed.json: it cannot be read (ENOENT)',
    );
  });
});
