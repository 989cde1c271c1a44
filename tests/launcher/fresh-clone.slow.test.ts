import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '#lib/base/embedded-postgres.ts';
import { PROJECT } from '#tests/support/child.ts';
import { alive, type Launched, launch, until } from './launch.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
let parent: string;
let clone: string;

beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'larder-clone-'));
  chmodSync(parent, 0o755);
  clone = join(parent, 'larder');
  execFileSync('git', ['clone', '--quiet', PROJECT, clone]);
  if (isRoot) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, parent]);
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** `npm start` as a normal user with the Node that this machine has, be it old, and an empty package cache. */
function npmStart(port: number): Launched {
  const ours = [join(PROJECT, '.runtime'), join(PROJECT, 'node_modules')];
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !ours.some((f) => folder.startsWith(f)));
  return launch(['--port', String(port)], {
    command: ['npm', 'start', '--'],
    cwd: clone,
    env: { PATH: path.join(delimiter), HOME: parent, npm_config_cache: join(parent, 'cache') },
    ...(isRoot ? { uid: NOBODY } : {}),
  });
}

test('npm start in a fresh clone works for a normal user, also when the first attempt was killed in the middle of installing', async () => {
  const port = await freePort();
  const first = npmStart(port);
  await until(
    () => existsSync(join(clone, 'node_modules', 'next')),
    `nothing is installed:\n${first.output()}`,
    400_000,
  );
  const family = first.family();
  for (const pid of family) process.kill(pid, 'SIGKILL');
  await first.exited;
  await sleep(500);
  expect(alive(family)).toEqual([]);
  const second = npmStart(port);
  await second.ready;
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  expect(second.output()).toMatch(/Password\s+\S+/);
  expect(await second.interrupt()).toBe(0);
});
