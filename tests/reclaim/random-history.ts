import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { seededRandom } from '#tests/faults/nemesis.ts';
import { type Model, RandomActs } from './random-acts.ts';
import { inDays, type World } from './world.ts';

/** Everything old enough, every pin and the reflog run out: nothing but reachability holds. */
const AT = inDays(60);
const POINTS = [
  'reclaim.planned',
  'reclaim.marked',
  'reclaim.heads-taken',
  'reclaim.between-batches',
  'reclaim.edges-taken',
  'reclaim.doomed',
  'reclaim.condemned',
  'reclaim.xorbs-released',
  'reclaim.bytes-deleted',
];
const STEPS = 14;

/** Whole numbers below a bound, from a seed. */
function dice(seed: number): (below: number) => number {
  const next = seededRandom(seed);
  return (below) => Math.floor(next() * below);
}

/** Collects again and again, giving up in the middle at random moments. */
async function collect(w: World, roll: (below: number) => number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const stop = new AbortController();
    const timer = roll(2) === 0 ? setTimeout(() => stop.abort(), roll(120)) : undefined;
    await w.gc({ isNow: true, at: AT, signal: stop.signal }).catch((error) => {
      if (!stop.signal.aborted) throw error;
    });
    clearTimeout(timer);
    await sleep(roll(30));
  }
}

/** A process that collects and is killed at a point, if it gets there. */
function killed(w: World, point: string): Promise<void> {
  const env = {
    ...process.env,
    ...w.env,
    DATABASE_URL: w.t.databaseUrl,
    LARDER_DATA: w.t.dataDir,
    LOG_LEVEL: 'fatal',
    LARDER_FAILPOINTS: `${point}=exit`,
  };
  const options = JSON.stringify({ at: AT.toISOString(), isNow: true });
  const child = spawn(process.execPath, ['tests/reclaim/gc-once.ts', options], { env, stdio: 'ignore' });
  return new Promise((resolve) => child.on('close', () => resolve()));
}

/** Environment of a world that histories are played in: everything may go at once. */
export const ENV = { LARDER_GC_BRAKE_PERCENT: '100', DATABASE_POOL: '20' };

/**
 * One history: two people act at random in two to four repos while garbage is collected without any grace. Requires that
 * all they did is there, and, when all repos are deleted, that nothing is left in the database and at the store.
 */
export async function playHistory(w: World, acts: RandomActs, seed: number): Promise<void> {
  const roll = dice(seed);
  const models = [await acts.newRepo(`a${seed}`), await acts.newRepo(`b${seed}`)];
  const add = (model: Model) => void (models.length < 4 && models.push(model));
  let isOver = false;
  const collector = collect(w, dice(seed + 1000), () => isOver);
  const player = async (nth: number) => {
    for (let step = 0; step < STEPS; step++) {
      const mine = models.filter((_, i) => i % 2 === nth);
      await acts.act(mine[roll(mine.length)] as Model, roll, `c${seed}`, add);
    }
  };
  const killing = seed % 5 === 0 ? killed(w, POINTS[roll(POINTS.length)] as string) : undefined;
  await Promise.all([player(0), player(1)]).finally(() => (isOver = true));
  await Promise.all([collector, killing]);
  for (const model of models) await acts.verify(model);
  expect(await w.problems(), `seed ${seed}`).toEqual([]);
  await w.gc({ isNow: true, at: AT });
  for (const model of models) await acts.verify(model);
  const { rows } = await w.t.app.db.query<{ name: string }>(`SELECT name FROM repo WHERE deleted_at IS NULL`);
  for (const { name } of rows) await deleteRepo(w.ctx, { type: 'model', namespace: 'alice', name });
  await w.sweepUploads(AT);
  await w.gc({ isNow: true, at: AT, dropsPins: true });
  expect(await w.keys(''), `seed ${seed}`).toEqual([]);
  expect(await w.begun(), `seed ${seed}`).toBe(0);
  for (const table of ['git_object', 'commit_index', 'repo_file', 'xet_file', 'xorb'])
    expect(await w.count(table), `seed ${seed}: ${table}`).toBe(0);
}
