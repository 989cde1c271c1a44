import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isHubError } from '#lib/base/errors.ts';
import type { Oid, Sha256 } from '#lib/base/ids.ts';
import { createBranch } from '#lib/repos/create-branch.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteLfsFiles } from '#lib/repos/delete-lfs-files.ts';
import { deleteRef } from '#lib/repos/delete-ref.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { duplicateRepo } from '#lib/repos/duplicate-repo.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import { restoreBranch } from '#lib/repos/restore-branch.ts';
import { revertCommit } from '#lib/repos/revert-commit.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { seededRandom, seedsAsked } from '#tests/faults/nemesis.ts';
import { file, header } from '#tests/repos/people.ts';
import { type BuiltXorb, buildXorb, contentOf } from '#tests/xet/build.ts';
import { createWorld, inDays, lfs, random, sha256Of, type World } from './world.ts';

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

type Files = ReadonlyMap<string, Buffer>;

/** What a repo must be: its branches, and every commit that was ever its head. */
interface Model {
  repo: Repo;
  branches: Map<string, Oid>;
  commits: Map<Oid, { files: Files; parent: Oid | null }>;
  isGone: boolean;
}

let w: World;
let xorbs: BuiltXorb[];
let texts: string[];
let blobs: Buffer[];
beforeAll(async () => {
  w = await createWorld({ LARDER_GC_BRAKE_PERCENT: '100', DATABASE_POOL: '20' });
  xorbs = Array.from({ length: 4 }, () => buildXorb([random(700), random(900), random(500)]));
  texts = Array.from({ length: 4 }, (_, i) => `text ${i}\n`);
  blobs = Array.from({ length: 4 }, () => random(1500));
});
afterAll(() => w.close());

/** True when it was done; a refusal is no change, and any other error is a failure of the test. */
async function tried(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isHubError(error) && error.status < 500) return false;
    if ((error as { code?: string }).code === '40001') return false; // a duplicate of what changed meanwhile
    throw error;
  }
}

const headOf = (model: Model) => model.branches.get('main') as Oid;
const filesOf = (model: Model) => model.commits.get(headOf(model))?.files ?? new Map<string, Buffer>();
const isLarge = (path: string) => path.startsWith('big');

function moved(model: Model, oid: Oid, files: Files, parent: Oid | null): void {
  model.commits.set(oid, { files, parent });
  model.branches.set('main', oid);
}

async function commit(model: Model, files: Files, operations: CommitOperation[]): Promise<void> {
  const parent = headOf(model);
  const request = { revision: 'main', header: header('c'), operations };
  const { commitOid, changed } = await createCommit(w.ctx, model.repo, request);
  if (changed) moved(model, commitOid, files, parent);
}

async function newRepo(name: string): Promise<Model> {
  const repo = await createRepo(w.ctx, { type: 'model', namespace: 'alice', name });
  const { rows } = await w.t.app.db.query<{ oid: Buffer }>('SELECT oid FROM ref WHERE repo_id = $1', [
    repo.id,
  ]);
  const oid = rows[0]?.oid.toString('hex') as Oid;
  return {
    repo,
    branches: new Map([['main', oid]]),
    commits: new Map([[oid, { files: new Map(), parent: null }]]),
    isGone: false,
  };
}

/** Uploads again until the commit finds the file: with no grace at all it may be taken in between. */
async function commitLarge(model: Model, path: string, bytes: Buffer, upload: () => Promise<unknown>) {
  for (let attempt = 0; attempt < 8; attempt++) {
    const files = new Map(filesOf(model)).set(path, bytes);
    const isDone = await tried(async () => {
      await upload();
      await commit(model, files, [lfs(path, sha256Of(bytes))]);
    });
    if (isDone) return;
  }
}

async function act(
  model: Model,
  roll: (below: number) => number,
  name: string,
  add: (m: Model) => void,
): Promise<unknown> {
  const { repo } = model;
  const [nth, other] = [roll(4), roll(3)];
  const files = filesOf(model);
  switch (roll(13)) {
    case 0:
    case 1: {
      const bytes = roll(2) === 0 ? (blobs[nth] as Buffer) : random(300 + roll(2000));
      return commitLarge(model, `big${roll(6)}`, bytes, () => w.basic(repo, bytes));
    }
    case 2:
    case 3: {
      const [a, b] = [xorbs[nth] as BuiltXorb, xorbs[other] as BuiltXorb];
      const terms = [
        { xorb: a, start: 0, end: 1 + roll(3) },
        { xorb: b, start: roll(2), end: 3 },
      ];
      return commitLarge(model, `big${roll(6)}`, contentOf(terms), () =>
        w.xet(repo, [...new Set([a, b])], [terms]),
      );
    }
    case 4:
    case 5: {
      const path = `d${roll(2)}/t${roll(3)}`;
      const text = texts[nth] as string;
      return tried(() => commit(model, new Map(files).set(path, Buffer.from(text)), [file(path, text)]));
    }
    case 6: {
      const [path] = [...files.keys()].slice(roll(Math.max(1, files.size)));
      if (path === undefined) return false;
      const left = new Map(files);
      left.delete(path);
      return tried(() => commit(model, left, [{ kind: 'deleteFile', path }]));
    }
    case 7:
      return tried(async () =>
        moved(model, (await superSquash(w.ctx, repo, 'main', `s${roll(9)}`)).commitOid, files, null),
      );
    case 8: {
      const { parent } = model.commits.get(headOf(model)) ?? { parent: null };
      if (parent === null) return false;
      const before = model.commits.get(parent)?.files as Files;
      return tried(async () => {
        const head = headOf(model);
        const { commitOid } = await revertCommit(w.ctx, repo, { branch: 'main', commit: head });
        moved(model, commitOid, before, head);
      });
    }
    case 9: {
      const known = [...model.commits];
      const [oid, { files: then, parent }] = known[roll(known.length)] as (typeof known)[number];
      return tried(async () => {
        await restoreBranch(w.ctx, repo, { branch: 'main', oid });
        moved(model, oid, then, parent);
      });
    }
    case 10:
      return tried(async () => {
        const copy = await duplicateRepo(w.ctx, repo, { namespace: 'alice', name: `${name}-${roll(1e9)}` });
        const branches = new Map(model.branches);
        add({ repo: copy, branches, commits: new Map(model.commits), isGone: false });
      });
    case 11: {
      const [path] = [...files.keys()].filter(isLarge);
      if (path === undefined) return false;
      const sha256 = sha256Of(files.get(path) as Buffer);
      return tried(async () => {
        await deleteLfsFiles(w.ctx, repo, [sha256], { rewriteHistory: true });
        await relearn(model, sha256);
      });
    }
    default: {
      const branch = 'side';
      if (model.branches.has(branch))
        return tried(async () => {
          await deleteRef(w.ctx, repo, 'branch', branch);
          model.branches.delete(branch);
        });
      return tried(async () => {
        const known = [...model.commits.keys()];
        const startingPoint = known[roll(known.length)] as Oid;
        await createBranch(w.ctx, repo, { branch, startingPoint, isEmpty: false, overwrite: false });
        model.branches.set(branch, startingPoint);
      });
    }
  }
}

/** After history was rewritten: commits have new ids, and none has the file. Old ids cannot be restored any more. */
async function relearn(model: Model, sha256: Sha256): Promise<void> {
  const without = (files: Files) => new Map([...files].filter(([, bytes]) => sha256Of(bytes) !== sha256));
  const { rows } = await w.t.app.db.query<{ name: string; oid: Buffer }>(
    'SELECT name, oid FROM ref WHERE repo_id = $1',
    [model.repo.id],
  );
  const old = new Map(model.commits);
  const was = new Map(model.branches);
  model.commits = new Map();
  for (const { name, oid } of rows) {
    const branch = name.replace('refs/heads/', '');
    const files = without(old.get(was.get(branch) as Oid)?.files ?? new Map());
    model.branches.set(branch, oid.toString('hex') as Oid);
    model.commits.set(oid.toString('hex') as Oid, { files, parent: null });
  }
}

async function verify(model: Model): Promise<void> {
  for (const [branch, oid] of model.branches)
    for (const [path, bytes] of model.commits.get(oid)?.files ?? []) {
      const found = await resolveFile(w.ctx, model.repo, { revision: branch, path });
      const what = `${model.repo.name}/${branch}/${path}`;
      if (isLarge(path)) {
        expect(found.file?.sha256, what).toBe(sha256Of(bytes));
        expect(await w.holds(model.repo.id, bytes), what).toBe(true);
      } else
        expect((await readBlob(w.t.app.db, model.repo.id, found.entry.oid)).equals(bytes), what).toBe(true);
    }
}

/** Collects again and again, giving up in the middle at random moments; now and then in a process that is killed. */
async function collect(roll: (below: number) => number, isOver: () => boolean): Promise<void> {
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

function killed(point: string): Promise<void> {
  const env = {
    ...process.env,
    DATABASE_URL: w.t.databaseUrl,
    LARDER_DATA: w.t.dataDir,
    LARDER_GC_BRAKE_PERCENT: '100',
    LOG_LEVEL: 'fatal',
    LARDER_FAILPOINTS: `${point}=exit`,
  };
  const options = JSON.stringify({ at: AT.toISOString(), isNow: true });
  const child = spawn(process.execPath, ['tests/reclaim/gc-once.ts', options], { env, stdio: 'ignore' });
  return new Promise((resolve) => child.on('close', () => resolve()));
}

async function play(seed: number): Promise<void> {
  const roll = dice(seed);
  const models = [await newRepo(`a${seed}`), await newRepo(`b${seed}`)];
  let isOver = false;
  const collector = collect(dice(seed + 1000), () => isOver);
  const player = async (nth: number) => {
    for (let step = 0; step < STEPS; step++) {
      const mine = models.filter((_, i) => i % 2 === nth);
      await act(
        mine[roll(mine.length)] as Model,
        roll,
        `c${seed}`,
        (model) => void (models.length < 4 && models.push(model)),
      );
    }
  };
  const killing = seed % 5 === 0 ? killed(POINTS[roll(POINTS.length)] as string) : undefined;
  await Promise.all([player(0), player(1)]).finally(() => (isOver = true));
  await Promise.all([collector, killing]);
  for (const model of models) await verify(model);
  expect(await w.problems(), `seed ${seed}`).toEqual([]);
  await w.gc({ isNow: true, at: AT });
  for (const model of models) await verify(model);
  const { rows } = await w.t.app.db.query<{ name: string }>(`SELECT name FROM repo WHERE deleted_at IS NULL`);
  for (const { name } of rows) await deleteRepo(w.ctx, { type: 'model', namespace: 'alice', name });
  await w.gc({ isNow: true, at: AT, dropsPins: true });
  expect(await w.keys(''), `seed ${seed}`).toEqual([]);
  for (const table of ['git_object', 'commit_index', 'repo_file', 'xet_file', 'xorb'])
    expect(await w.count(table), `seed ${seed}: ${table}`).toBe(0);
}

describe('random uploads, commits, squashes, reverts, restores, copies and deletions while garbage is collected without any grace', () => {
  it.each(seedsAsked('1-40'))(
    'seed %i: nothing reachable is lost, and in the end nothing is left',
    async (seed) => {
      await play(seed);
    },
    120_000,
  );
});
