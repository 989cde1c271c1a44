import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { startPeer, stopPeer, timed } from './children.ts';
import type { Figure } from './main.ts';

const ROUNDS = 7;
const FOLDERS = 100;
const FILES = 100;
const PUSHED = 1000;

const ENV = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'b',
  GIT_AUTHOR_EMAIL: 'b@example.org',
  GIT_COMMITTER_NAME: 'b',
  GIT_COMMITTER_EMAIL: 'b@example.org',
};
const git = (...args: string[]) => timed('git', args, ENV);
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface Sides {
  readonly folder: string;
  /** Addresses of the same content at the hub and at git's own server. */
  readonly ours: string;
  readonly theirs: string;
  /** Address of another repo of the hub, with next to nothing in it. */
  readonly other: string;
  /** A clone that pushes to both. */
  readonly work: string;
}

async function writeFiles(work: string, name: string, count: number): Promise<void> {
  for (let folder = 0; folder < count / FILES; folder++) {
    await mkdir(join(work, `${name}${folder}`), { recursive: true });
    for (let file = 0; file < FILES; file++)
      await writeFile(
        join(work, `${name}${folder}`, `f${file}.txt`),
        `${name} ${folder}/${file}\n`.repeat(20),
      );
  }
}

/** Makes a repo; its address with the credentials in it. */
async function createRepo(hub: Hub, name: string): Promise<string> {
  const created = await fetch(`${hub.url}/api/repos/create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name, type: 'model' }),
  });
  if (!created.ok) throw new Error(`create: ${created.status} ${await created.text()}`);
  return `http://admin:${hub.adminToken}@${new URL(hub.url).host}/admin/${name}.git`;
}

async function prepare(folder: string, hub: Hub, port: number): Promise<Sides> {
  const ours = await createRepo(hub, 'bench');
  const other = await createRepo(hub, 'other');
  const theirs = `http://bench:bench@127.0.0.1:${port}/peer.git`;
  const peer = join(folder, 'peer.git');
  const work = join(folder, 'work');
  await git('clone', '-q', ours, work);
  await writeFiles(work, 'd', FOLDERS * FILES);
  await git('-C', work, 'add', '-A');
  await git('-C', work, 'commit', '-qm', 'all');
  await git('-C', work, 'push', '-q', 'origin', 'HEAD:main');
  await git('init', '-q', '--bare', '-b', 'main', peer);
  await git('-C', peer, 'config', 'http.receivepack', 'true');
  await git('-C', peer, 'config', 'uploadpack.allowFilter', 'true');
  await git('-C', work, 'push', '-q', theirs, 'HEAD:main');
  await git('-C', peer, 'gc', '-q');
  return { folder, ours, theirs, other, work };
}

/** A clone as a whole, without writing files: what the server has to do with it. */
async function cloneOnce(sides: Sides, url: string): Promise<number> {
  const to = join(sides.folder, 'clone');
  await rm(to, { recursive: true, force: true });
  return git('clone', '-q', '--bare', url, to);
}

async function clones(sides: Sides, coldly: boolean): Promise<Figure> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (coldly) await cloneOnce(sides, sides.other); // the cache has room for one repo: this puts the other out
    ours.push(await cloneOnce(sides, sides.ours));
    theirs.push(await cloneOnce(sides, sides.theirs));
  }
  const [a, b] = [median(ours), median(theirs)];
  return {
    name: `git clone of 10,000 files, ${coldly ? 'cold' : 'warm'}`,
    value: a / b,
    unit: 'x',
    limit: coldly ? 1.5 : 1.2,
    good: 'at most',
    detail: `${(a * 1000).toFixed(0)} ms against ${(b * 1000).toFixed(0)} ms of git http-backend`,
  };
}

async function fetches(sides: Sides): Promise<Figure> {
  const ours: number[] = [];
  const theirs: number[] = [];
  const clone = async (url: string, name: string) => {
    const to = join(sides.folder, name);
    await git('clone', '-q', '--bare', url, to);
    return to;
  };
  const a = await clone(sides.ours, 'fetch-a');
  const b = await clone(sides.theirs, 'fetch-b');
  for (let round = 0; round < ROUNDS; round++) {
    await writeFile(join(sides.work, 'one.txt'), `${round}\n`);
    await git('-C', sides.work, 'add', '-A');
    await git('-C', sides.work, 'commit', '-qm', `one ${round}`);
    for (const url of [sides.ours, sides.theirs]) await git('-C', sides.work, 'push', '-q', url, 'HEAD:main');
    ours.push(await git('-C', a, 'fetch', '-q', sides.ours, 'main:main'));
    theirs.push(await git('-C', b, 'fetch', '-q', sides.theirs, 'main:main'));
  }
  const [x, y] = [median(ours), median(theirs)];
  return {
    name: 'git fetch of one commit',
    value: x / y,
    unit: 'x',
    limit: 1.3,
    good: 'at most',
    detail: `${(x * 1000).toFixed(0)} ms against ${(y * 1000).toFixed(0)} ms of git http-backend`,
  };
}

async function pushes(sides: Sides): Promise<Figure> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await writeFiles(sides.work, `p${round}-`, PUSHED);
    await git('-C', sides.work, 'add', '-A');
    await git('-C', sides.work, 'commit', '-qm', `push ${round}`);
    ours.push(await git('-C', sides.work, 'push', '-q', sides.ours, 'HEAD:main'));
    theirs.push(await git('-C', sides.work, 'push', '-q', sides.theirs, 'HEAD:main'));
  }
  const [x, y] = [median(ours), median(theirs)];
  return {
    name: 'git push of 1,000 files',
    value: x / y,
    unit: 'x',
    limit: 1.5,
    good: 'at most',
    detail: `${(x * 1000).toFixed(0)} ms against ${(y * 1000).toFixed(0)} ms of git http-backend`,
  };
}

/**
 * Clone, fetch and push with stock git against git's own server over a packed bare repo with the same content. Both
 * sides let anybody read and answer 401 to the first request of a push.
 */
export async function benchGit(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'larder-bench-git-'));
  const hub = await startHub({ env: { LOG_LEVEL: 'warn', LARDER_GIT_CACHE_BYTES: '0' } });
  const peer = await startPeer('tests/bench/git-backend.ts', [folder], {});
  try {
    const sides = await prepare(folder, hub, peer.port);
    await cloneOnce(sides, sides.ours);
    await cloneOnce(sides, sides.theirs);
    return [await clones(sides, false), await clones(sides, true), await fetches(sides), await pushes(sides)];
  } finally {
    await stopPeer(peer.child);
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
