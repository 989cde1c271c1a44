import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '../support/hub.ts';
import {
  commitLfs,
  destroyDatabase,
  expectStocked,
  runOk,
  runProgram,
  type Stocked,
  stock,
} from './full-hub.ts';

let hub: Hub;
let dir: string;
let backups: string;
let stocked: Stocked;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-backup-'));
  backups = join(dir, 'backups');
  hub = await startHub({ env: { LOG_LEVEL: 'error' } });
  stocked = await stock(hub, dir);
});
afterAll(async () => {
  await hub?.stop();
  await rm(dir, { recursive: true, force: true });
});

test('a backup of a running hub copies each object once, and another takes only what is new', async () => {
  const first = runOk(hub, 'backup', [backups, '--verify']);
  expect(first).toMatch(/backup \S+Z: \d+ rows, (\d+) objects \(\d+ bytes\), \1 of them new/);
  await new Promise((resolve) => setTimeout(resolve, 1_100)); // its name is the second
  expect(runOk(hub, 'backup', [backups])).toMatch(/, 0 of them new/);
  expect(await readdir(join(backups, 'dumps'))).toHaveLength(2);
});

test('after everything was destroyed a restore brings all of it back: files, git, pull requests, tokens', async () => {
  await hub.kill();
  await destroyDatabase(hub.databaseUrl);
  await rm(join(hub.dataDir, 'objects'), { recursive: true });
  const killed = runProgram(hub, 'restore', [backups], { LARDER_FAILPOINTS: 'restore.loaded=exit' });
  expect(killed.status).toBe(null);
  expect(killed.output).toContain('failpoint restore.loaded exit');
  runOk(hub, 'restore', [backups]);
  expect(runOk(hub, 'check', ['--full'])).toMatch(/^clean/m);
  await hub.restart();
  await expectStocked(hub, dir, stocked);
}, 120_000);

test('a restore refuses a hub that runs, and one that holds something, unless it may throw it away', async () => {
  expect(runProgram(hub, 'restore', [backups])).toMatchObject({
    status: 1,
    output: expect.stringContaining('the hub runs'),
  });
  await hub.kill();
  expect(runProgram(hub, 'restore', [backups]).output).toMatch(
    /this hub holds 1 users and 1 repos: --replace/,
  );
  runOk(hub, 'restore', [backups, '--replace']);
  await hub.restart();
});

test('a backup that is killed counts for nothing, and the next one uses what it copied; old ones are pruned', async () => {
  await commitLfs(hub, 'admin/model', 'new.bin', randomBytes(50_000));
  const killed = runProgram(hub, 'backup', [backups], { LARDER_FAILPOINTS: 'backup.object-copied=exit' });
  expect(killed.status).toBe(null);
  expect(runOk(hub, 'backup', [backups, '--keep', '1'])).toMatch(/removed: \S+Z, \S+Z/);
  expect(await readdir(join(backups, 'dumps'))).toHaveLength(1);
  expect(runOk(hub, 'backup', [backups, '--verify', '--keep', '1'])).toMatch(/0 of them new/);
});
