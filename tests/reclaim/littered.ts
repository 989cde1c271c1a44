import { spawn } from 'node:child_process';
import { expect } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
import type { Repo } from '#lib/repos/types.ts';
import { file } from '#tests/repos/people.ts';
import { buildXorb } from '#tests/xet/build.ts';
import { createWorld, inDays, lfs, random, type World } from './world.ts';

export const AT = inDays(50).toISOString();
/** A hub with garbage of every kind, and what must survive. */
export interface Littered {
  readonly w: World;
  readonly repo: Repo;
  readonly kept: ReadonlyMap<Sha256, Buffer>;
}

export async function createLittered(): Promise<Littered> {
  const w = await createWorld({ LARDER_GC_BRAKE_PERCENT: '100' });
  const repo = await w.repo('r');
  const kept = new Map<Sha256, Buffer>();
  const x = buildXorb([random(2000), random(4000), random(4000), random(4000)]);
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
  return { w, repo, kept };
}

async function once(w: World, failpoint?: string): Promise<{ hit: boolean; out: string; err: string }> {
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

export async function expectKept({ w, repo, kept }: Littered): Promise<void> {
  expect(await w.problems()).toEqual([]);
  for (const [sha256, bytes] of kept) expect(await w.holds(repo.id, bytes), sha256).toBe(true);
}

/** All points of a run, in the order in which it comes by them: each later one finds what the kills before left over. */
export const POINTS = [
  'reclaim.planned',
  'reclaim.marked',
  'reclaim.heads-taken',
  'reclaim.between-batches',
  'reclaim.edges-taken',
  'reclaim.purging',
  'reclaim.doomed',
  'reclaim.files-locked',
  'reclaim.repack-stored',
  'reclaim.repacking',
  'reclaim.condemned',
  'reclaim.xorbs-released',
  'reclaim.objects-locked',
  'reclaim.bytes-deleted',
];

/** Kills a run at each of these points, one after the other; nothing is lost, and the next run takes all that is left. */
export async function killAt(littered: Littered, points: readonly string[]): Promise<void> {
  const { w } = littered;
  for (const point of points) {
    expect(await once(w, point), point).toMatchObject({ hit: true });
    await expectKept(littered);
  }
  const { out, err } = await once(w);
  expect(err).toBe('');
  expect(JSON.parse(out)).toMatchObject({ state: 'done', result: { skipped: [] } });
  await expectKept(littered);
  expect(await w.keys()).toHaveLength(2);
  expect(await w.count('stored_object', `key NOT LIKE 'shard/%' AND state <> 'gone'`)).toBe(2);
  expect(await w.count('xet_file')).toBe(1);
  expect(await w.count('commit_index')).toBe(2); // what was squashed, and the new repo's first
  expect(await w.count('repo_file')).toBe(2);
  const runs = await w.t.app.db.query('SELECT state FROM reclaim_run ORDER BY id');
  expect(runs.rows.map((row) => row.state)).toEqual([...points.map(() => 'failed'), 'done']);
}
