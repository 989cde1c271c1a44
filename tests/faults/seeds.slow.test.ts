import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GitPerson } from '#tests/clients/git-person.ts';
import { PROJECT } from '#tests/support/child.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import {
  byCommit,
  byMerge,
  byPage,
  byPush,
  commitFile,
  type Door,
  History,
  insist,
  json,
  type Target,
} from './doors.ts';
import { type FragileHub, startFragileHub } from './fragile-hub.ts';
import { historyProblems, reflogProblems } from './history-check.ts';
import { eventually, pause, seededRandom, seedsAsked } from './nemesis.ts';
import { byFive, byLfs, byManyRefs, byRestore, bySquash, Claims } from './ref-doors.ts';

const REPO = 'admin/seeds';
const SEEDS = seedsAsked('1-25');
const FULL_CHECK_EVERY = 10;
const OTHER_DOORS = 3;

/** The door that passes a point, and how often at least in one round. */
const POINTS: Record<string, readonly [door: string, times: number]> = {
  'commit.reading': ['commit', 1],
  'commit.before-cas': ['page', 1],
  'commit.after-tx': ['five', 3],
  'pull.before-open': ['pull', 1],
  'merge.before-status': ['merge', 1],
  'push.before-index-pack': ['push', 1],
  'push.unpacked': ['atomic', 1],
  'push.before-import': ['each', 1],
  'push.objects-written': ['each', 1],
  'push.between-refs': ['atomic', 3],
  'push.ref-landed': ['each', 2],
  'push.after-tx': ['push', 1],
  'restore.after-tx': ['restore', 1],
  'squash.after-tx': ['squash', 1],
  'object.verified': ['lfs', 1],
  'link.committed': ['lfs', 1],
};

const DOORS = [
  'commit',
  'page',
  'five',
  'merge',
  'pull',
  'push',
  'atomic',
  'each',
  'restore',
  'squash',
  'lfs',
];

let folder: string;
let fragile: FragileHub;
/** A second process of the same hub, which is never armed: it works on while the other one falls and comes back. */
let beside: Hub;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-seeds-'));
  fragile = await startFragileHub({ env: { LOG_LEVEL: 'fatal' } });
  const { databaseUrl, hub } = fragile;
  const shared = {
    DATABASE_URL: databaseUrl,
    LARDER_DATA: hub.dataDir,
    LARDER_ADMIN_TOKEN: hub.adminToken,
    LARDER_ADMIN_PASSWORD: hub.adminPassword,
  };
  beside = await startHub({ env: { LOG_LEVEL: 'fatal', ...shared } });
  await json(hub, 'POST', '/api/repos/create', { name: 'seeds' });
});
afterAll(async () => {
  await beside?.stop();
  await fragile?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** All doors to the servers that `pick` chooses for each request; pushes go to the one that falls. */
function openDoors(pick: () => 'fragile' | 'steady', claims: Claims): Record<string, Door> {
  const { hub } = fragile;
  const steady = { url: beside.url, adminToken: hub.adminToken };
  const either: Target = { repo: REPO, server: () => (pick() === 'steady' ? steady : hub) };
  const fragileOne: Target = { repo: REPO, server: () => hub };
  const at = (name: string) => join(folder, name);
  return {
    commit: byCommit(either),
    page: byPage(either),
    five: byFive(either),
    merge: byMerge(either, true),
    pull: byMerge(either, false),
    push: byPush(fragileOne, at('push')),
    atomic: byManyRefs(fragileOne, at('atomic'), true, steady, claims),
    each: byManyRefs(fragileOne, at('each'), false, steady, claims),
    restore: byRestore(either),
    squash: bySquash(either),
    lfs: byLfs(either),
  };
}

interface Plan {
  readonly point: string;
  readonly armed: string;
  readonly action: string;
  readonly doors: readonly string[];
  readonly killsPostgres: boolean;
}

/** What a seed does: every point in turn, all else by chance. */
function planOf(seed: number, next: () => number): Plan {
  const pick = <T>(items: readonly T[]) => items[Math.floor(next() * items.length)] as T;
  const points = Object.keys(POINTS);
  const point = points[(seed - 1) % points.length] as string;
  const [first, times] = POINTS[point] as (typeof POINTS)[string];
  const action = pick(['exit', 'exit', 'exit', 'throw', 'sleep', 'hold']);
  const how = { sleep: 'sleep:400', hold: `hold:${join(folder, 'hold')}` }[action] ?? action;
  const others = DOORS.filter((name) => name !== first);
  const doors = [first];
  while (doors.length <= OTHER_DOORS) {
    const other = pick(others);
    if (!doors.includes(other)) doors.push(other);
  }
  const armed = `${point}=${how}@${1 + Math.floor(next() * times)}`;
  return { point, armed, action, doors, killsPostgres: next() < 0.1 };
}

/** Brings back what has fallen, until it is told to stop. */
async function nurse(storm: { isOver: boolean }): Promise<void> {
  while (!storm.isOver) {
    if (fragile.hub.serverPid === null) await eventually(() => fragile.hub.restart());
    await pause(20);
  }
}

/** While a point is held, somebody else commits; then it goes on. */
async function releaseHeld(plan: Plan, logged: number, meanwhile: string, history: History): Promise<void> {
  if (plan.action !== 'hold') return;
  const isHeld = () => fragile.hub.logs().slice(logged).includes(`failpoint ${plan.point}`);
  for (const untilMs = Date.now() + 3000; !isHeld() && Date.now() < untilMs; ) await pause(10);
  history.sent.add(meanwhile);
  const committed = commitFile({ url: beside.url, adminToken: fragile.hub.adminToken }, REPO, meanwhile);
  await Promise.race([committed, pause(400)]).catch(() => {});
  await rm(join(folder, 'hold'));
  await committed.then(
    () => history.acked.add(meanwhile),
    () => {},
  );
}

interface Doors {
  /** Where the armed point is passed. */
  readonly armed: Record<string, Door>;
  /** Now here, now at the process beside. */
  readonly any: Record<string, Door>;
}

async function runSeed(seed: number, plan: Plan, doors: Doors, history: History) {
  if (plan.action === 'hold') await writeFile(join(folder, 'hold'), '');
  await fragile.hub.kill();
  await fragile.hub.restart({ LARDER_FAILPOINTS: plan.armed });
  const logged = fragile.hub.logs().length;
  const storm = { isOver: false };
  const nursed = nurse(storm);
  const random = seededRandom(seed + 1_000_000);
  const work = plan.doors.map(async (name, index) => {
    await pause(random() * 100);
    const door = doors[index === 0 ? 'armed' : 'any'][name] as Door;
    const path = `${name}/s${seed}.txt`;
    if (index === 0 || random() < 0.8) return insist(path, door, history, 30_000);
    history.sent.add(path); // a client that gives up
    await door(path).then(
      () => history.acked.add(path),
      () => {},
    );
  });
  const release = releaseHeld(plan, logged, `meanwhile/s${seed}.txt`, history);
  if (plan.killsPostgres) {
    await pause(random() * 600);
    await fragile.killPostgres();
    await eventually(() => fragile.revive());
  }
  await Promise.all([...work, release]).finally(() => {
    storm.isOver = true;
  });
  await nursed;
  return fragile.hub.logs().slice(logged).includes(`failpoint ${plan.point} `);
}

async function check(history: History, claims: Claims, isFull: boolean): Promise<string[]> {
  const server = isFull ? { url: beside.url } : fragile.hub;
  const reader = new GitPerson(server, join(folder, 'reader'), 'admin', fragile.hub.adminToken);
  if (isFull) await rm(reader.at('mirror'), { recursive: true, force: true });
  if (!existsSync(reader.at('mirror')))
    await reader.git('', 'clone', '-q', '--mirror', reader.remote(REPO), 'mirror');
  const before = await reader.git('mirror', 'rev-parse', 'main');
  await reader.git('mirror', 'fetch', '-q', '--prune', reader.remote(REPO), '+refs/*:refs/*');
  const problems = await historyProblems(reader, history, claims);
  if ((await reader.try('mirror', 'merge-base', '--is-ancestor', before, 'main')).code !== 0)
    problems.push(`main lost ${before}`);
  problems.push(...(await reflogProblems(fragile.databaseUrl)));
  if (!isFull) return problems;
  const fsck = await reader.try('mirror', 'fsck', '--full', '--strict');
  if (fsck.code !== 0) problems.push(fsck.output);
  return [...problems, ...[fragile.check() ?? []].flat()];
}

test('the points of commits, pull requests, pushes and refs are all among those that seeds choose from', () => {
  const files = execFileSync('git', ['ls-files', 'lib/repos'], { cwd: PROJECT, encoding: 'utf8' }).split(
    '\n',
  );
  const text = files
    .filter((file) => file.endsWith('.ts') && !file.startsWith('lib/repos/backup/'))
    .map((file) => readFileSync(join(PROJECT, file), 'utf8'));
  const points = [...text.join('\n').matchAll(/failpoint\('([^']+)'/g)].map(([, name]) => name);
  expect(Object.keys(POINTS).filter((point) => !points.includes(point))).toEqual([]);
  const ours = /^(commit|pull|merge|push|restore|squash)\./;
  expect(points.filter((point) => ours.test(point ?? '') && !((point as string) in POINTS))).toEqual([]);
});

test('one hub through many seeds: killed, failing, stalled or held at a named point, it keeps what it acknowledged, nothing else, and each ref is one chain', {
  timeout: 60_000 + SEEDS.length * 20_000,
}, async () => {
  const history = new History();
  const claims = new Claims();
  let next = seededRandom(0);
  const doors = {
    armed: openDoors(() => 'fragile', claims),
    any: openDoors(() => (next() < 0.3 ? 'steady' : 'fragile'), claims),
  };
  const [armed, hit] = [new Set<string>(), new Set<string>()];
  const tookMs: number[] = [];
  for (const [index, seed] of SEEDS.entries()) {
    next = seededRandom(seed);
    const plan = planOf(seed, next);
    const what = `seed ${seed}: ${plan.armed} with ${plan.doors.join(', ')}${plan.killsPostgres ? ', database killed' : ''}`;
    const startedMs = Date.now();
    armed.add(plan.point);
    try {
      if (await runSeed(seed, plan, doors, history)) hit.add(plan.point);
      const isFull = index % FULL_CHECK_EVERY === FULL_CHECK_EVERY - 1 || index === SEEDS.length - 1;
      const problems = await check(history, claims, isFull);
      if (beside.serverPid === null) problems.push('the process beside has ended by itself');
      expect(problems, what).toEqual([]);
    } catch (error) {
      const ended = beside.serverPid === null ? `; the process beside has ended:\n${beside.logs()}` : '';
      throw new Error(what + ended, { cause: error });
    }
    tookMs.push(Date.now() - startedMs);
  }
  const meanMs = tookMs.reduce((sum, ms) => sum + ms, 0) / tookMs.length;
  process.stdout.write(
    `${SEEDS.length} seeds, ${hit.size} of ${armed.size} points hit, ${history.acked.size} files acknowledged, ${meanMs.toFixed(0)} ms a seed\n`,
  );
  expect([...armed].filter((point) => !hit.has(point))).toEqual([]);
});
