import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hf } from '#tests/clients/python.ts';
import { PROJECT } from '#tests/support/child.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-killed-points-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const bytes = randomBytes(3_000_000);

async function call(hub: Hub, method: string, path: string, body?: string) {
  const headers = { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' };
  const res = await fetch(hub.url + path, { method, headers, ...(body !== undefined && { body }) });
  const answer: unknown = await res.json();
  if (!res.ok) throw new Error(`${method} ${path}: ${res.status} ${JSON.stringify(answer)}`);
  return answer as Record<string, unknown>;
}

async function propose(hub: Hub): Promise<void> {
  const operation = { path: 'a.txt', content: 'a', encoding: 'utf-8' };
  const body = JSON.stringify({ summary: 'Add a', files: [operation] });
  await call(hub, 'POST', '/api/models/admin/r/commit/main?create_pr=1', body);
}

async function uploadLarge(hub: Hub): Promise<void> {
  const from = join(dir, 'large');
  await mkdir(from, { recursive: true });
  await writeFile(join(from, 'm.bin'), bytes);
  const options = { endpoint: hub.url, token: hub.adminToken, home: join(dir, 'home') };
  const { code, stderr } = await hf(['upload', 'admin/r', from], options);
  if (code !== 0) throw new Error(stderr);
}

const numberOfDiscussions = async (hub: Hub) =>
  (await call(hub, 'GET', '/api/models/admin/r/discussions')).count;

async function listsLarge(hub: Hub): Promise<boolean> {
  const tree = (await call(hub, 'GET', '/api/models/admin/r/tree/main')) as unknown as { path: string }[];
  return tree.some(({ path }) => path === 'm.bin');
}

interface Case {
  readonly point: string;
  readonly prepare?: (hub: Hub) => Promise<void>;
  readonly act: (hub: Hub) => Promise<void>;
  /** Right after the restart: nothing of it is there. */
  readonly before: (hub: Hub) => Promise<void>;
  /** After it was done again: all of it, once. */
  readonly after: (hub: Hub) => Promise<void>;
}

const largeIsWhole = async (hub: Hub) => {
  const options = { endpoint: hub.url, token: hub.adminToken, home: join(dir, 'home') };
  const to = join(dir, `to-${hub.url.split(':').at(-1)}`);
  expect(await hf(['download', 'admin/r', 'm.bin', '--local-dir', to], options)).toMatchObject({ code: 0 });
  expect((await readFile(join(to, 'm.bin'))).equals(bytes)).toBe(true);
};

const CASES: Case[] = [
  {
    point: 'pull.before-open',
    act: propose,
    before: async (hub) => expect(await numberOfDiscussions(hub)).toBe(0),
    after: async (hub) =>
      expect(await call(hub, 'GET', '/api/models/admin/r/discussions/1')).toMatchObject({
        num: 1,
        status: 'open',
      }),
  },
  {
    point: 'merge.before-status',
    prepare: propose,
    act: async (hub) => void (await call(hub, 'POST', '/api/models/admin/r/discussions/1/merge', '{}')),
    before: async (hub) => {
      expect(await call(hub, 'GET', '/api/models/admin/r/discussions/1')).toMatchObject({ status: 'open' });
      expect((await fetch(`${hub.url}/admin/r/raw/main/a.txt`)).status).toBe(404);
    },
    after: async (hub) => {
      expect(await call(hub, 'GET', '/api/models/admin/r/discussions/1')).toMatchObject({ status: 'merged' });
      expect((await fetch(`${hub.url}/admin/r/raw/main/a.txt`)).status).toBe(200);
      const commits = (await call(hub, 'GET', '/api/models/admin/r/commits/main')) as unknown as unknown[];
      expect(commits).toHaveLength(2);
    },
  },
  ...['xet.xorb-stored', 'xet.shard-verified'].map((point) => ({
    point,
    act: uploadLarge,
    before: async (hub: Hub) => expect(await listsLarge(hub)).toBe(false),
    after: largeIsWhole,
  })),
];

test.each(CASES)(
  'kill -9 at $point: nothing half-done is there, the same request again does all of it once, check is clean',
  { timeout: 90_000 },
  async ({ point, prepare, act, before, after }) => {
    process.env.LARDER_FAILPOINTS = `${point}=exit`; // programs that are started inherit it
    const hub = await startHub({ env: { LOG_LEVEL: 'fatal' } });
    delete process.env.LARDER_FAILPOINTS;
    try {
      await call(hub, 'POST', '/api/repos/create', '{"name": "r"}');
      await prepare?.(hub);
      // a client that tries again by itself may find the hub back: that is as good
      const first = act(hub).catch(() => {});
      while (hub.serverPid !== null) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(hub.logs()).toContain(`failpoint ${point} exit`);
      await hub.restart();
      await before(hub);
      await first;
      await act(hub);
      await after(hub);
      const check = spawnSync(process.execPath, ['workers/check.ts'], {
        cwd: PROJECT,
        env: { ...process.env, DATABASE_URL: hub.databaseUrl, LARDER_DATA: hub.dataDir },
        encoding: 'utf8',
      });
      expect(check.status, check.stdout + check.stderr).toBe(0);
    } finally {
      await hub.stop();
    }
  },
);

test('every failpoint of the product is armed by some test', () => {
  const list = (...paths: string[]) =>
    execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...paths], {
      cwd: PROJECT,
      encoding: 'utf8',
    })
      .split('\n')
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => readFileSync(join(PROJECT, file), 'utf8'))
      .join('\n');
  const points = [...list('lib', 'workers').matchAll(/failpoint\('([^']+)'/g)].map(([, name]) => name);
  const tests = list('tests');
  expect(points.length).toBeGreaterThan(20);
  expect(points.filter((name) => !tests.includes(`'${name}'`) && !tests.includes(`${name}=`))).toEqual([]);
});
