import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256Of } from '#tests/clients/files.ts';
import { GitPerson } from '#tests/clients/git-person.ts';
import { PROJECT } from '#tests/support/child.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';

const POINT = 'push.before-import';

let hub: Hub;
let folder: string;
let alice: GitPerson;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-held-files-'));
  process.env.LARDER_FAILPOINTS = `${POINT}=hold:${join(folder, 'hold')}`; // programs that are started inherit it
  hub = await startHub({ env: { LOG_LEVEL: 'warn' } });
  delete process.env.LARDER_FAILPOINTS;
  alice = new GitPerson(hub, folder, 'admin', hub.adminToken);
});
afterAll(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const reached = () => hub.logs().split(`failpoint ${POINT}`).length - 1;

/** Does something while a push waits between its checks and the transaction that moves refs. */
async function duringPush(clone: string, refspecs: string[], act: () => Promise<void>) {
  const before = reached();
  await writeFile(join(folder, 'hold'), '');
  try {
    const push = alice.try(clone, 'push', 'origin', ...refspecs);
    const isOver = push.then(() => true);
    const soon = () => new Promise<false>((resolve) => setTimeout(() => resolve(false), 20));
    while (reached() === before)
      if (await Promise.race([isOver, soon()])) throw new Error(`never got there: ${(await push).output}`);
    await act();
    await rm(join(folder, 'hold'));
    return await push;
  } finally {
    await rm(join(folder, 'hold'), { force: true });
  }
}

/** A clone with a commit that holds a large file, which only git-lfs has sent so far. */
async function begin(name: string) {
  await alice.api('POST', '/api/repos/create', { name });
  await alice.git('', 'clone', '-q', alice.remote(`admin/${name}`), name);
  await alice.git(name, 'lfs', 'install', '--local');
  await alice.git(name, 'lfs', 'track', '*.bin');
  await writeFile(join(alice.at(name), 'w.bin'), randomBytes(50_000));
  await alice.git(name, 'add', '-A');
  await alice.git(name, 'commit', '-qm', 'weights');
  await alice.git(name, 'lfs', 'push', 'origin', 'HEAD');
  const sha256 = await sha256Of(join(alice.at(name), 'w.bin'));
  const path = `/api/models/admin/${name}/lfs-files/${sha256}`;
  return {
    forget: () => alice.api<void>('DELETE', path),
    rewrite: () => alice.api<void>('DELETE', `${path}?rewriteHistory=true`),
  };
}

/** Every branch leads to commits all of whose large files can be had, by the hub's own check and by git-lfs. */
async function expectWhole(name: string): Promise<void> {
  const env = { ...process.env, DATABASE_URL: hub.databaseUrl, LARDER_DATA: hub.dataDir };
  const check = spawnSync(process.execPath, ['workers/check.ts'], { cwd: PROJECT, env, encoding: 'utf8' });
  expect(check.stdout + check.stderr).toContain('clean');
  expect(check.status).toBe(0);
  await alice.git(
    '',
    '-c',
    'filter.lfs.process=',
    '-c',
    'filter.lfs.smudge=',
    'clone',
    '-q',
    alice.remote(`admin/${name}`),
    `${name}-back`,
  );
  await alice.git(`${name}-back`, 'lfs', 'fetch', '--all', 'origin');
}

describe('a large file that is deleted for good while a push that names it is on its way', () => {
  test.each([
    ['one ref', ['HEAD:main']],
    ['two refs', ['HEAD:main', 'HEAD:refs/heads/second']],
    ['two refs at once', ['--atomic', 'HEAD:main', 'HEAD:refs/heads/second']],
  ])(
    '%s: the push is refused with the reason, and no ref names what is gone',
    async (title, refspecs) => {
      const name = title.replaceAll(' ', '-');
      const { forget } = await begin(name);
      const before = await alice.git(name, 'ls-remote', 'origin');
      const { code, output } = await duringPush(name, refspecs, forget);
      expect(code, output).not.toBe(0);
      expect(output).toMatch(/large file.*deleted meanwhile.*Upload it again/);
      expect(await alice.git(name, 'ls-remote', 'origin')).toBe(before);
      await expectWhole(name);
      await alice.git(name, 'lfs', 'push', 'origin', 'HEAD'); // as the message says
      await alice.git(name, 'push', '-q', 'origin', 'HEAD:main');
      expect(await alice.git(name, 'ls-remote', 'origin', 'refs/heads/main')).toContain(
        await alice.git(name, 'rev-parse', 'HEAD'),
      );
    },
    90_000,
  );

  test('a new branch on a history that is rewritten meanwhile does not bring the file back', async () => {
    const { rewrite } = await begin('branch');
    await alice.git('branch', 'push', '-q', 'origin', 'HEAD:main');
    await alice.git('branch', 'commit', '-q', '--allow-empty', '-m', 'on top');
    const { code, output } = await duringPush('branch', ['HEAD:refs/heads/on-top'], rewrite);
    expect(code, output).not.toBe(0);
    await alice.refused('branch', 'push', 'origin', 'HEAD~1:refs/heads/same');
    expect(await alice.git('branch', 'ls-remote', 'origin', 'refs/heads/on-top', 'refs/heads/same')).toBe('');
    await expectWhole('branch');
  }, 90_000);
});
