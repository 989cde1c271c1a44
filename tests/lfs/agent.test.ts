import { randomBytes } from 'node:crypto';

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256Of } from '#tests/clients/files.ts';
import { GitPerson } from '#tests/clients/git-person.ts';
import { hfOk } from '#tests/clients/python.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';

/** Two parts: one of 64 MiB and a short one. */
const BYTES = (64 << 20) + 12_345;
const HF = join(dirname(resolve(process.env.LARDER_TEST_PYTHON ?? '.runtime/venv/bin/python')), 'hf');

let hub: Hub;
let folder: string;
let alice: GitPerson;
const path = process.env.PATH;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-lfs-agent-'));
  process.env.LARDER_FAILPOINTS = `upload.part=hold:${join(folder, 'hold')}`; // programs that are started inherit it
  hub = await startHub({ env: { LOG_LEVEL: 'debug' } });
  delete process.env.LARDER_FAILPOINTS;
  alice = new GitPerson(hub, folder, 'admin', hub.adminToken);
  // git-lfs starts `hf` by its name; this one is the installed one, and leaves its process id: git-lfs starts several
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/hf'), `#!/bin/sh\necho $$ >>${join(folder, 'pids')}\nexec ${HF} "$@"\n`, {
    mode: 0o755,
  });
  process.env.PATH = `${join(folder, 'bin')}${delimiter}${path}`;
  await alice.git('', 'lfs', 'install', '--skip-repo');
});
afterAll(async () => {
  process.env.PATH = path;
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const reached = () => hub.logs().split('failpoint upload.part').length - 1;
const answered = (operation: string) => hub.logs().split(`"operation":"${operation}"`).length - 1;

/** A clone made ready by `hf lfs-enable-largefiles`, with a large file in its last commit; the file's SHA-256. */
async function begin(name: string): Promise<string> {
  await alice.api('POST', '/api/repos/create', { name });
  await alice.git('', 'clone', '-q', alice.remote(`admin/${name}`), name);
  await alice.git(name, 'lfs', 'track', '*.bin');
  const options = { endpoint: hub.url, home: alice.home, cwd: alice.at(name) };
  await hfOk(['lfs-enable-largefiles', '.'], options);
  await writeFile(join(alice.at(name), 'large.bin'), randomBytes(BYTES));
  await alice.git(name, 'add', '-A');
  await alice.git(name, 'commit', '-qm', 'large');
  return sha256Of(join(alice.at(name), 'large.bin'));
}

async function cloned(name: string): Promise<string> {
  await alice.git('', 'clone', '-q', alice.remote(`admin/${name}`), `${name}-back`);
  return sha256Of(join(alice.at(`${name}-back`), 'large.bin'));
}

describe('git push with the multipart agent of huggingface_hub', () => {
  test('sends a file above the threshold in parts, which a clone has intact', async () => {
    const sha256 = await begin('parts');
    await alice.git('parts', 'push', '-q', 'origin', 'HEAD:main');
    expect([answered('lfs.putPart'), answered('lfs.complete'), answered('lfs.put')]).toEqual([2, 1, 0]);
    expect(await cloned('parts')).toBe(sha256);
  }, 60_000);

  test('whose agent was killed midway moves nothing, and the next push completes it', async () => {
    const sha256 = await begin('killed');
    const before = await alice.git('killed', 'ls-remote', 'origin');
    await rm(join(folder, 'pids'), { force: true });
    await writeFile(join(folder, 'hold'), '');
    const started = reached();
    const push = alice.try('killed', '-c', 'lfs.transfer.maxretries=1', 'push', 'origin', 'HEAD:main');
    const isOver = push.then(() => true);
    const soon = () => new Promise<false>((done) => setTimeout(() => done(false), 20));
    while (reached() === started) expect(await Promise.race([isOver, soon()])).toBe(false);
    const pids = (await readFile(join(folder, 'pids'), 'utf8')).trim().split('\n');
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
    const { code, output } = await push;
    expect(code, output).not.toBe(0);
    await rm(join(folder, 'hold'));
    expect(await alice.git('killed', 'ls-remote', 'origin')).toBe(before);
    await alice.git('killed', 'push', '-q', 'origin', 'HEAD:main');
    expect(await cloned('killed')).toBe(sha256);
  }, 60_000);
});
