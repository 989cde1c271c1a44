import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '#lib/base/embedded-postgres.ts';
import { alive, type Launched, launch, processOf, until } from './launch.ts';

const TOKEN = `hf_${'launcher'.repeat(5)}`;
let data: string;
let port: number;
let started: Launched[];

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'larder-launch-'));
  chmodSync(data, 0o755);
  port = await freePort();
  started = [];
});
afterEach(async () => {
  for (const each of started) if (alive([each.pid]).length > 0) await each.interrupt();
  rmSync(data, { recursive: true, force: true });
});

function start(env: Record<string, string> = {}): Launched {
  const launched = launch(['start', '--port', String(port), '--data', data], { env });
  started.push(launched);
  return launched;
}

function api(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
}

async function createRepo(name: string): Promise<number> {
  return (await api('/api/repos/create', { method: 'POST', body: JSON.stringify({ name }) })).status;
}

async function signIn(password: string): Promise<number> {
  const base = `http://127.0.0.1:${port}`;
  const csrf = await fetch(`${base}/api/auth/csrf`);
  const { csrfToken } = (await csrf.json()) as { csrfToken: string };
  const body = new URLSearchParams({
    csrfToken,
    username: 'admin',
    password,
    callbackUrl: base,
    json: 'true',
  });
  const cookie = csrf.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ');
  const headers = { cookie, origin: base };
  return (
    await fetch(`${base}/api/auth/callback/credentials`, {
      method: 'POST',
      body,
      headers,
      redirect: 'manual',
    })
  ).status;
}

function everyLog(): string {
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('.log'),
  );
  return files.map((name) => readFileSync(join(data, name), 'utf8')).join('\n');
}

test('the first start shows a password that signs in, in no log; Ctrl-C ends everything in order with exit code 0', async () => {
  const hub = start();
  await hub.ready;
  expect(hub.output()).toContain(`http://localhost:${port}`);
  const password = /Password\s+(\S+)/.exec(hub.output())?.[1] ?? '';
  expect(await signIn(password)).toBe(200);
  expect(await signIn(`${password}x`)).toBe(401);
  expect(everyLog()).not.toContain(password);
  const family = hub.family();
  expect(await hub.interrupt()).toBe(0);
  expect(alive(family)).toEqual([]);
  const again = start();
  await again.ready;
  expect(again.output()).not.toContain('Password');
  expect(await signIn(password)).toBe(200);
});

test('a second start on the same data has lost nothing', async () => {
  const first = start({ LARDER_ADMIN_TOKEN: TOKEN });
  await first.ready;
  expect(await createRepo('kept')).toBe(200);
  expect(await first.interrupt()).toBe(0);
  const second = start();
  await second.ready;
  expect((await api('/api/models/admin/kept')).status).toBe(200);
});

test('kill -9 of everything, then start: it works and nothing acknowledged is lost', async () => {
  const first = start({ LARDER_ADMIN_TOKEN: TOKEN });
  await first.ready;
  expect(await createRepo('kept')).toBe(200);
  for (const pid of first.family()) process.kill(pid, 'SIGKILL');
  await first.exited;
  const second = start();
  await second.ready;
  expect((await api('/api/models/admin/kept')).status).toBe(200);
});

test('kill -9 of the launcher alone leaves no server or worker behind, and the next start takes over Postgres', async () => {
  const first = start({ LARDER_ADMIN_TOKEN: TOKEN });
  await first.ready;
  const family = first.family();
  process.kill(processOf(family, 'launcher/main.ts'), 'SIGKILL');
  await first.exited;
  const second = start();
  await second.ready;
  expect(alive([processOf(family, 'cluster')])).toHaveLength(1);
  expect(second.output()).toContain('Postgres was still running');
  const programs = second.family().filter((pid) => family.includes(pid));
  expect(programs).toEqual([]);
  expect((await api('/api/whoami-v2')).status).toBe(200);
});

test('server, worker and Postgres come back by themselves when killed', async () => {
  const hub = start({ LARDER_ADMIN_TOKEN: TOKEN });
  await hub.ready;
  for (const name of ['workers/main.ts', 'server.ts', 'cluster']) {
    const before = processOf(hub.family(), name);
    process.kill(before, 'SIGKILL');
    await until(() => alive([before]).length === 0, `${name} does not die`);
    const isBack = async () => {
      const answer = await api('/api/whoami-v2').catch(() => null);
      return answer?.status === 200 && hub.family().some((pid) => pid !== before && commandIs(pid, name));
    };
    await until(isBack, `${name} did not come back:\n${hub.output()}`);
  }
  // The pool finds its dead connections by use: until then the answer is a 503 that asks to come again.
  await until(async () => (await createRepo('after')) !== 503, 'the pool does not recover');
  expect((await api('/api/models/admin/after')).status).toBe(200);
  expect(await hub.interrupt()).toBe(0);
});

function commandIs(pid: number, text: string): boolean {
  try {
    processOf([pid], text);
    return true;
  } catch {
    return false;
  }
}

test('Ctrl-C in the middle of starting ends what runs already, with exit code 0', async () => {
  const hub = start();
  await until(() => hub.family().some((pid) => commandIs(pid, 'server.ts')), 'the server does not start');
  const family = hub.family();
  expect(await hub.interrupt()).toBe(0);
  expect(hub.output()).not.toContain('Larder is ready');
  expect(alive(family)).toEqual([]);
});

test('a second hub on the same data folder is refused and leaves the first alone', async () => {
  const first = start({ LARDER_ADMIN_TOKEN: TOKEN });
  await first.ready;
  const second = launch(['start', '--port', String(await freePort()), '--data', data]);
  expect(await second.exited).toBe(1);
  expect(second.output()).toMatch(/a hub already runs on .* \(process \d+\)/);
  expect((await api('/api/whoami-v2')).status).toBe(200);
});

test('a port that is taken is named together with the way out', async () => {
  const squatter = createServer().listen(port, '127.0.0.1');
  const hub = start();
  expect(await hub.exited).toBe(1);
  expect(hub.output()).toContain(`port ${port} is in use`);
  expect(hub.output()).toContain('npm start -- --port');
  squatter.close();
});

test('doctor finds nothing broken in a hub that runs, and names what is wrong when something is', async () => {
  const hub = start();
  await hub.ready;
  const flags = ['doctor', '--port', String(port), '--data', data];
  const healthy = launch(flags);
  expect({ code: await healthy.exited, output: healthy.output() }).toMatchObject({ code: 0 });
  expect(healthy.output()).toContain('is healthy');
  const family = hub.family();
  const wrong = launch(flags, { env: { LARDER_SECRET: 'short' } });
  expect(await wrong.exited).toBe(1);
  expect(wrong.output()).toMatch(/broken\s+settings\s+.*LARDER_SECRET/);
  expect(alive(family)).toEqual(family);
});
