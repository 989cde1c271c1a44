import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBranch } from '#lib/repos/create-branch.ts';
import { createTag } from '#lib/repos/create-tag.ts';
import { deleteLfsFiles } from '#lib/repos/delete-lfs-files.ts';
import { deleteRef } from '#lib/repos/delete-ref.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { duplicateRepo } from '#lib/repos/duplicate-repo.ts';
import { reclaim } from '#lib/repos/reclaim/reclaim.ts';
import { restoreBranch } from '#lib/repos/restore-branch.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
import { file } from '#tests/repos/people.ts';
import { buildXorb } from '#tests/xet/build.ts';
import { createWorld, inDays, lfs, random, type World } from './world.ts';

let w: World;
beforeEach(async () => {
  w = await createWorld({ LARDER_GC_BRAKE_PERCENT: '100' });
});
afterEach(() => w.close());

describe('history', () => {
  it('what a squash leaves behind stays restorable for the retention of the reflog, then it goes', async () => {
    const repo = await w.repo('r');
    const bytes = random(5000);
    const sha256 = await w.basic(repo, bytes);
    const old = await w.commit(repo, lfs('big.bin', sha256), file('a', '1'));
    await w.commit(repo, { kind: 'deleteFile', path: 'big.bin' }, file('a', '2'));
    await superSquash(w.ctx, repo, 'main', 'one');
    await w.gc({ at: inDays(29) });
    await w.gc({ at: inDays(29.9) });
    expect(await w.holds(repo.id, bytes)).toBe(true);
    await restoreBranch(w.ctx, repo, { branch: 'main', oid: old });
    expect(await w.problems()).toEqual([]);
    await superSquash(w.ctx, repo, 'main', 'two');
    await w.commit(repo, { kind: 'deleteFile', path: 'big.bin' });
    await superSquash(w.ctx, repo, 'main', 'three');
    const before = await w.count('git_object');
    await w.gc({ at: inDays(31) });
    expect(await w.count('git_object')).toBeLessThan(before);
    expect(await w.read(repo.id, sha256)).toBeNull();
    expect((await w.keys()).length).toBe(1); // doomed, not gone
    expect(await w.problems()).toEqual([]);
    await expect(restoreBranch(w.ctx, repo, { branch: 'main', oid: old })).rejects.toMatchObject({
      code: 'revision_not_found',
    });
    await w.gc({ at: inDays(33) });
    expect(await w.keys()).toEqual([]);
    expect(await w.count('stored_object')).toBe(0);
    expect(await w.count('commit_index')).toBe(1);
    expect(await w.problems()).toEqual([]);
  });

  it('commits, pushes and tags that begin at what was just taken are refused, also from memory', async () => {
    const repo = await w.repo('r');
    const old = await w.commit(repo, file('a', '1'));
    await superSquash(w.ctx, repo, 'main', 'one');
    await createBranch(w.ctx, repo, { branch: 'look', startingPoint: old, isEmpty: false, overwrite: false });
    await deleteRef(w.ctx, repo, 'branch', 'look');
    await w.gc({ at: inDays(40) });
    for (const attempt of [
      () => createBranch(w.ctx, repo, { branch: 'b', startingPoint: old, isEmpty: false, overwrite: false }),
      () => createTag(w.ctx, repo, { tag: 't', revision: old }),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: 'revision_not_found' });
    expect(await w.problems()).toEqual([]);
  });

  it('nothing within the grace goes: an upload that waits for its commit, objects written a moment ago', async () => {
    const repo = await w.repo('r');
    const sha256 = await w.basic(repo, random(1000));
    await w.gc({ at: inDays(2.9) });
    await w.commit(repo, lfs('x', sha256));
    expect(await w.read(repo.id, sha256)).not.toBeNull();
  });
});

describe('bytes', () => {
  it('a file that is permanently deleted gives its bytes back, unless another repo holds it', async () => {
    const [a, b] = [await w.repo('a'), await w.repo('b')];
    const [mine, shared] = [random(3000), random(4000)];
    const [m, s] = [await w.basic(a, mine), await w.basic(a, shared)];
    await w.commit(a, lfs('m', m), lfs('s', s));
    const copy = await duplicateRepo(w.ctx, a, { namespace: 'alice', name: 'copy' });
    await deleteLfsFiles(w.ctx, copy, [m], { rewriteHistory: true });
    await deleteLfsFiles(w.ctx, a, [m, s], { rewriteHistory: true });
    expect(await w.count('repo_file', `repo_id = ${a.id}`)).toBe(0); // figures fall at once
    await w.gc({ at: inDays(4) });
    await w.gc({ at: inDays(6) });
    expect(await w.holds(copy.id, shared)).toBe(true);
    expect(await w.count('stored_object')).toBe(1);
    expect(await w.keys()).toHaveLength(1);
    expect(b.id).not.toBe(a.id);
    expect(await w.problems()).toEqual([]);
  });

  it('chunks stay pinned for 22 days after their last use, are condemned, then deleted; both take one run', async () => {
    const repo = await w.repo('r');
    const [x, y] = [buildXorb([random(9000), random(9000)]), buildXorb([random(9000)])];
    const [one] = await w.xet(
      repo,
      [x, y],
      [
        [
          { xorb: x, start: 0, end: 2 },
          { xorb: y, start: 0, end: 1 },
        ],
      ],
    );
    if (one === undefined) throw new Error('no file');
    await w.commit(repo, lfs('f', one));
    await deleteLfsFiles(w.ctx, repo, [one], { rewriteHistory: true });
    await w.gc({ at: inDays(4) });
    await w.gc({ at: inDays(6) });
    expect(await w.count('xet_file')).toBe(0);
    expect(await w.count('xorb', `state = 'live'`)).toBe(2);
    await w.gc({ at: inDays(23) });
    expect(await w.count('xorb', `state = 'condemned'`)).toBe(2);
    await w.xet(repo, [x], [[{ xorb: x, start: 0, end: 1 }]]); // back to life
    await w.gc({ at: inDays(25) });
    expect(await w.count('xorb', `state = 'live'`)).toBe(1);
    expect(await w.count('xorb')).toBe(1);
    expect(await w.problems()).toEqual([]);
    expect(await w.keys()).toHaveLength(2); // and the object that x had before, doomed
    await w.gc({ at: inDays(27) });
    expect(await w.keys()).toHaveLength(1);
  });

  it('without grace everything that is garbage goes in one run, pins excepted', async () => {
    const repo = await w.repo('r');
    const x = buildXorb([random(9000)]);
    await w.xet(repo, [x], [[{ xorb: x, start: 0, end: 1 }]]);
    await w.basic(repo, random(2000));
    await deleteRepo(w.ctx, repo);
    await w.gc({ isNow: true });
    expect(await w.keys()).toHaveLength(1);
    const { epoch } = (await w.t.app.db.query('SELECT epoch FROM xet_domain')).rows[0];
    await w.gc({ isNow: true, dropsPins: true });
    expect(await w.keys('')).toEqual([]);
    expect((await w.t.app.db.query('SELECT epoch FROM xet_domain')).rows[0].epoch).toBe(epoch + 1);
    for (const table of [
      'git_object',
      'commit_index',
      'ref',
      'repo_file',
      'stored_object',
      'xorb',
      'xet_file',
    ])
      expect(await w.count(table), table).toBe(0);
  });

  it('orphans of the store go by the age that the store says, uploads that are under way stay', async () => {
    const { app } = w.t;
    const repo = await w.repo('r');
    await app.store.put('blob/ab/orphan', Buffer.from('lost'), { sizeBytes: 4 });
    await app.store.put('blob/ab/underway', Buffer.from('kept'), { sizeBytes: 4 });
    await app.db.query(
      `INSERT INTO upload (id, repo_id, user_id, kind, sha256, size_bytes, key, state, expires_at)
       VALUES ('u', $1, 'a', 'multipart', '\\x00', 4, 'blob/ab/underway', 'open', now() + interval '7 days')`,
      [repo.id],
    );
    await w.gc({ at: inDays(2) });
    expect(await w.keys()).toEqual(['blob/ab/orphan', 'blob/ab/underway']);
    await w.gc({ at: inDays(4) });
    expect(await w.keys()).toEqual(['blob/ab/underway']);
    expect(await w.count('stored_object', `state <> 'gone'`)).toBe(0);
    await w.gc({ at: inDays(36) });
    expect(await w.count('stored_object')).toBe(0);
  });
});

describe('the figure that is shown', () => {
  it('is what the run frees, key by key and byte by byte', async () => {
    const repo = await w.repo('r');
    const gone = await w.repo('gone');
    const x = buildXorb([random(9000), random(700)]);
    await w.xet(gone, [x], [[{ xorb: x, start: 0, end: 1 }]]);
    await w.basic(gone, random(2000));
    const kept = await w.basic(repo, random(800));
    await w.basic(repo, random(900));
    await w.commit(repo, lfs('k', kept));
    await w.t.app.store.put('xorb/ab/orphan', Buffer.from('lost'), { sizeBytes: 4 });
    await deleteRepo(w.ctx, gone);
    for (const at of [inDays(0), inDays(4), inDays(6), inDays(23), inDays(25), inDays(40)]) {
      const { items, outcome } = await w.dry({ at });
      const before = new Set(await w.keys(''));
      const now = items.filter((i) => i.mayGoAt <= at && !i.what.includes(' git objects'));
      const gitNow = items.filter((i) => i.what.includes(' git objects'));
      const run = await w.gc({ at });
      const left = new Set(await w.keys(''));
      expect(now.map((i) => i.what).sort()).toEqual([...before].filter((key) => !left.has(key)).sort());
      expect(run.result?.freedBytes).toBe(now.reduce((sum, i) => sum + Number(i.bytes), 0));
      expect(run.result?.freedGitBytes).toBe(gitNow.reduce((sum, i) => sum + Number(i.bytes), 0));
      const shown = outcome.result?.found.reduce((sum, r) => sum + r.bytesNow, 0) ?? 0;
      expect((run.result?.freedBytes ?? 0) + (run.result?.freedGitBytes ?? 0)).toBe(shown);
      expect(outcome.result?.freedBytes).toBe(0);
    }
    expect(await w.keys('')).toHaveLength(1);
    expect(await w.problems()).toEqual([]);
  });

  it('the brake stops before anything goes, says why, and can be overruled', async () => {
    const repo = await w.repo('r');
    await w.basic(repo, random(2000));
    await deleteRepo(w.ctx, repo);
    const floor = { brakeFloor: { bytes: 1000, objects: 1000 } };
    const app = { ...w.t.app, config: { ...w.t.app.config, LARDER_GC_BRAKE_PERCENT: 50 } };
    const seams = { pinned: async () => [], ...floor };
    const options = { cause: 'command', isDry: false, isNow: true } as const;
    const stopped = await reclaim({ ...app, log: { ...app.log, error: () => {} } as never }, seams, options);
    expect(stopped).toMatchObject({ state: 'stopped', message: expect.stringContaining('(100 %)') });
    expect(await w.count('repo_file')).toBe(1);
    expect(await w.keys()).toHaveLength(1);
    expect(await reclaim(app, seams, { ...options, isForced: true })).toMatchObject({ state: 'done' });
    expect(await w.keys()).toEqual([]);
    const runs = await w.t.app.db.query('SELECT state FROM reclaim_run ORDER BY id');
    expect(runs.rows.map((row) => row.state)).toEqual(['stopped', 'done']);
  });

  it('a repo in which something reachable is missing is left alone and named', async () => {
    const repo = await w.repo('r');
    await w.commit(repo, file('d/a', '1'));
    await superSquash(w.ctx, repo, 'main', 'one');
    await w.t.app.db.query(
      `DELETE FROM git_object WHERE repo_id = $1 AND kind = 2 AND oid IN (SELECT tree_oid FROM commit_index)`,
      [repo.id],
    );
    const objects = await w.count('git_object');
    const { result } = await w.gc({ at: inDays(60) });
    expect(result?.skipped).toMatchObject([
      { repo: 'model:alice/r', why: expect.stringContaining('is missing') },
    ]);
    expect(await w.count('git_object')).toBe(objects);
  });
});
