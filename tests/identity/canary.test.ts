import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#tests/support/hub.ts';

const TOKEN = 'hf_CANARYtokenCANARYtokenCANARYtoken0001';
const REVOKED = 'hf_CANARYwrongCANARYwrongCANARYwrong0002';
const PASSWORD = 'CANARY-password-0003';
let hub: Hub;

beforeAll(async () => {
  hub = await startHub({
    env: { LOG_LEVEL: 'trace' },
    seed: {
      users: [{ name: 'bird', password: PASSWORD, tokens: [{ name: 'c', token: TOKEN, role: 'write' }] }],
    },
  });
});
afterAll(() => hub?.stop());

test('no token and no password reaches the logs, the audit trail or the jobs, whatever the request', async () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const credentials = [
    `Bearer ${TOKEN}`,
    `Bearer ${REVOKED}`,
    basic(`bird:${TOKEN}`),
    basic(`${REVOKED}:`),
    basic(`bird:${PASSWORD}`),
  ];
  const paths = [
    '/api/whoami-v2',
    `/api/whoami-v2?token=${TOKEN}`,
    `/api/models/${TOKEN}/x`,
    '/api/settings/tokens',
    '/healthz',
    `/${TOKEN}`,
  ];
  for (const authorization of credentials) {
    for (const path of paths) {
      const response = await fetch(`${hub.url}${path}`, { headers: { authorization } });
      const text = `${JSON.stringify([...response.headers])}${await response.text()}`;
      expect(text).not.toContain('CANARY');
    }
  }
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${hub.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers });
  await post('/api/signup', { username: 'bird2', password: PASSWORD });
  await post('/api/signup', { username: { bad: PASSWORD }, password: PASSWORD });
  await post('/api/signup', `{"password": "${PASSWORD}`);
  await post('/api/repos/create', { name: 'm', type: 'model' }, { authorization: `Bearer ${TOKEN}` });
  await post('/api/organizations', { name: 'bird-org' }, { authorization: `Bearer ${TOKEN}` });
  await fetch(`${hub.url}/api/whoami-v2`, { headers: { cookie: `next-auth.session-token=${TOKEN}` } });

  expect(hub.logs().length).toBeGreaterThan(500);
  expect(hub.logs()).not.toContain('CANARY');

  const client = new pg.Client({ connectionString: hub.databaseUrl });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(20);
    for (const { name } of tables) {
      const { rows } = await client.query(
        `SELECT count(*)::int AS n FROM ${name} t WHERE t::text LIKE '%CANARY%'`,
      );
      expect([name, rows[0].n]).toEqual([name, 0]);
    }
  } finally {
    await client.end();
  }
});

test('a configuration mistake is told without the secrets in it, and the server does not start', async () => {
  const started = startHub({ env: { LARDER_ADMIN_TOKEN: 'sk-CANARY', LOG_LEVEL: 'trace' } });
  const error = await started.then(
    async (other) => {
      await other.stop();
      return null;
    },
    (e: Error) => e,
  );
  expect(error?.message).toContain('LARDER_ADMIN_TOKEN must begin with hf_');
  expect(error?.message).not.toContain('CANARY');
});
