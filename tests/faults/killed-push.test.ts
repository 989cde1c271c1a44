import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROJECT } from '#tests/support/child.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';

/** Points of a push, and whether its refs have moved by then. */
const POINTS = [
  ['push.before-index-pack', false],
  ['push.unpacked', false],
  ['push.before-import', false],
  ['push.objects-written', false],
  ['push.between-refs', false],
  ['push.after-tx', true],
] as const;

describe('a server killed in the middle of an atomic push', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'larder-killed-push-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  function git(...args: string[]) {
    const env = {
      ...process.env,
      HOME: dir,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.org',
    };
    const { status, stdout, stderr } = spawnSync('git', args, { env, encoding: 'utf8' });
    return { status, out: stdout.trim(), all: stdout + stderr };
  }

  async function create(hub: Hub): Promise<string> {
    const answer = await fetch(`${hub.url}/api/repos/create`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'r' }),
    });
    expect(answer.status).toBe(200);
    return `http://admin:${hub.adminToken}@${new URL(hub.url).host}/admin/r.git`;
  }

  const quarantines = (hub: Hub) =>
    readdirSync(join(hub.dataDir, 'git-cache'), { recursive: true }).filter((name) =>
      String(name).includes('quarantine'),
    );

  test.each(POINTS)(
    'at %s: all refs or none have moved, the quarantine goes, the retry succeeds',
    async (point, hasMoved) => {
      process.env.LARDER_FAILPOINTS = `${point}=exit`; // programs that are started inherit it
      const hub = await startHub({ env: { LOG_LEVEL: 'fatal' } });
      delete process.env.LARDER_FAILPOINTS;
      try {
        const url = await create(hub);
        const work = join(dir, point);
        expect(git('clone', '-q', url, work).status).toBe(0);
        await writeFile(join(work, 'new.txt'), point);
        git('-C', work, 'add', '-A');
        git('-C', work, 'commit', '-qm', 'new');
        const before = git('ls-remote', url, 'refs/heads/*').out;
        const push = () => git('-C', work, 'push', '--atomic', url, 'HEAD:main', 'HEAD:second');
        const killed = push();
        expect(killed.status, killed.all).not.toBe(0);
        await hub.kill();
        expect(hub.logs()).toContain(`failpoint ${point} exit`);
        await hub.restart();
        const head = git('-C', work, 'rev-parse', 'HEAD').out;
        const moved = `${head}\trefs/heads/main\n${head}\trefs/heads/second`;
        expect(git('ls-remote', url, 'refs/heads/*').out).toBe(hasMoved ? moved : before);
        const retry = push();
        expect(retry.status, retry.all).toBe(0);
        expect(git('ls-remote', url, 'refs/heads/*').out).toBe(moved);
        const clone = join(dir, `${point}-clone`);
        expect(git('clone', '-q', url, clone).status).toBe(0);
        expect(git('-C', clone, 'fsck', '--full', '--strict').status).toBe(0);
        expect(quarantines(hub)).toEqual([]);
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
    60_000,
  );
});
