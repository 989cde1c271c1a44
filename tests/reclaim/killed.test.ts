import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
import type { Repo } from '#lib/repos/types.ts';
import { file } from '#tests/repos/people.ts';
import { buildXorb } from '#tests/xet/build.ts';
import { createWorld, inDays, lfs, random, type World } from './world.ts';

const AT = inDays(50).toISOString();
let w: World;
let repo: Repo;
let kept: Map<Sha256, Buffer>;

beforeEach(async () => {
  w = await createWorld({ LARDER_GC_BRAKE_PERCENT: '100' });
  repo = await w.repo('r');
  kept = new Map();
  const x = buildXorb([random(4000), random(4000)]);
  const y = buildXorb([random(5000)]);
  const [whole, lost] = [random(2000), random(3000)];
  const sha = await w.basic(repo, whole);
  kept.set(sha, whole);
  const [shared, gone] = await w.xet(
    repo,
    [x, y],
    [[{ xorb: x, start: 0, end: 1 }], [{ xorb: y, start: 0, end: 1 }]],
  );
  kept.set(shared as Sha256, x.chunks[0] as Buffer);
  await w.commit(
    repo,
    lfs('gone', gone as Sha256),
    lfs('lost', await w.basic(repo, lost)),
    file('d/old', 'old'),
  );
  const drop = ['gone', 'lost', 'd/old'].map((path) => ({ kind: 'deleteFile' as const, path }));
  await w.commit(repo, ...drop, lfs('sha', sha), lfs('shared', shared as Sha256), file('d/new', 'new'));
  await superSquash(w.ctx, repo, 'main', 'one');
  const other = await w.repo('other');
  await w.commit(other, lfs('o', await w.basic(other, random(1500))));
  await deleteRepo(w.ctx, other);
  await createRepo(w.ctx, { type: 'model', namespace: 'alice', name: 'other' }); // at once, under the same name
});
afterEach(() => w.close());

async function once(failpoint?: string): Promise<{ hit: boolean; out: string; err: string }> {
  const env = {
    ...process.env,
    DATABASE_URL: w.t.databaseUrl,
    LARDER_DATA: w.t.dataDir,
    LARDER_GC_BRAKE_PERCENT: '100',
    LOG_LEVEL: 'error',
    ...(failpoint ? { LARDER_FAILPOINTS: `${failpoint}=exit` } : {}),
  };
  const child = spawn(
    process.execPath,
    ['tests/reclaim/gc-once.ts', JSON.stringify({ at: AT, isNow: true })],
    { env },
  );
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes) => (out += bytes));
  child.stderr.on('data', (bytes) => (err += bytes));
  await new Promise((resolve) => child.on('close', resolve));
  return { hit: err.includes(`failpoint ${failpoint} exit`), out, err };
}

async function expectKept(): Promise<void> {
  expect(await w.problems()).toEqual([]);
  for (const [sha256, bytes] of kept) expect(await w.holds(repo.id, bytes), sha256).toBe(true);
}

/** In the order in which a run comes by them: each later one finds what the kills before left over. */
const POINTS = [
  'reclaim.planned',
  'reclaim.marked',
  'reclaim.heads-taken',
  'reclaim.between-batches',
  'reclaim.edges-taken',
  'reclaim.purging',
  'reclaim.doomed',
  'reclaim.files-locked',
  'reclaim.condemned',
  'reclaim.xorbs-released',
  'reclaim.objects-locked',
  'reclaim.bytes-deleted',
];

describe('garbage collection', () => {
  it('killed at each of its points, one after the other, loses nothing; the next run takes all that is left', async () => {
    for (const point of POINTS) {
      expect(await once(point), point).toMatchObject({ hit: true });
      await expectKept();
    }
    const { out, err } = await once();
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({ state: 'done', result: { skipped: [] } });
    await expectKept();
    expect(await w.keys()).toHaveLength(2);
    expect(await w.count('stored_object')).toBe(3); // and the log of the file that is left
    expect(await w.count('xet_file')).toBe(1);
    expect(await w.count('commit_index')).toBe(2); // what was squashed, and the new repo's first
    expect(await w.count('repo_file')).toBe(2);
    const runs = await w.t.app.db.query('SELECT state FROM reclaim_run ORDER BY id');
    expect(runs.rows.map((row) => row.state)).toEqual([...POINTS.map(() => 'failed'), 'done']);
  });

  it('two at once: one works, the other says so and does nothing', async () => {
    const run = () => w.gc({ at: new Date(AT), isNow: true });
    const outcomes = await Promise.all([run(), run()]);
    expect(outcomes.map(({ state }) => state).sort()).toEqual(['done', 'refused']);
    await expectKept();
    expect(await w.keys()).toHaveLength(2);
  });
});
