import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROJECT } from '#tests/support/child.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { beginSession, SESSION_SEED, type Session } from './git-session.ts';
import { STEPS } from './git-sessions.ts';

/** The acceptance run has 1 GiB: LARDER_LFS_BYTES=1073741824. */
const LFS_BYTES = Number(process.env.LARDER_LFS_BYTES ?? 24 << 20);

let hub: Hub;
let session: Session;
let folder: string;
let broken: string | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-git-sessions-'));
  hub = await startHub({ seed: SESSION_SEED, worker: true, env: { LOG_LEVEL: 'warn' } });
  session = beginSession(hub, folder, LFS_BYTES);
});
afterAll(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

describe('three people with stock git and git-lfs', () => {
  test.each(STEPS)('%s', { timeout: 600_000 }, async (title, run) => {
    if (broken !== undefined) throw new Error(`not reached: «${broken}» failed`);
    broken = title;
    await run(session);
    broken = undefined;
  });

  test('the hub itself finds nothing wrong', () => {
    const env = { ...process.env, DATABASE_URL: hub.databaseUrl, LARDER_DATA: hub.dataDir };
    const check = spawnSync(process.execPath, ['workers/check.ts'], { cwd: PROJECT, env, encoding: 'utf8' });
    expect(check.stdout + check.stderr).toContain('clean');
    expect(check.status).toBe(0);
  }, 120_000);
});
