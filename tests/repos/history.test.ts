import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { transaction } from '#lib/base/db.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import { createBranch } from '#lib/repos/create-branch.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { createTag } from '#lib/repos/create-tag.ts';
import { deleteLfsFiles } from '#lib/repos/delete-lfs-files.ts';
import { deleteRef } from '#lib/repos/delete-ref.ts';
import { duplicateRepo } from '#lib/repos/duplicate-repo.ts';
import { landCommit, sealCommit } from '#lib/repos/land-commit.ts';
import { listBranchRules } from '#lib/repos/list-branch-rules.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import { listDeletedBranches, listReflog } from '#lib/repos/list-reflog.ts';
import { moveRepo } from '#lib/repos/move-repo.ts';
import { protectBranch } from '#lib/repos/protect-branch.ts';
import { changeStatus } from '#lib/repos/pulls/change-discussion.ts';
import { createDiscussion } from '#lib/repos/pulls/create-discussion.ts';
import { mergePull } from '#lib/repos/pulls/merge-pull.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { readRoot, resolveRevision } from '#lib/repos/resolve-revision.ts';
import { restoreBranch } from '#lib/repos/restore-branch.ts';
import { revertCommit } from '#lib/repos/revert-commit.ts';
import { setDefaultBranch } from '#lib/repos/set-default-branch.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { unprotectBranch } from '#lib/repos/unprotect-branch.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { exportRepo } from './git-binary.ts';
import { file, giveFile, header, makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
let count = 0;
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
});
afterAll(() => t.close());
beforeEach(async () => {
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: `r${count++}` });
});

const commit = async (branch: string, ...operations: CommitOperation[]): Promise<Oid> =>
  (await createCommit(ctx, repo, { revision: branch, header: header(`to ${branch}`), operations })).commitOid;
const at = async (revision: string) => (await resolveRevision(t.app.db, repo, revision)).commitOid;
const files = async (revision: string) => {
  const { entries } = await listTree(ctx, repo, await at(revision), '', { recursive: true, limit: 1000 });
  return entries.filter((e) => e.type === 'file' && e.path !== '.gitattributes').map((e) => e.path);
};
const history = async (revision: string) =>
  (await listCommits(t.app.db, repo, await at(revision), { page: 0, limit: 1000 })).commits.map((c) => c.oid);
const problems = async () => {
  const found: string[] = [];
  for await (const problem of checkRepos(t.app, { repos: 0, objects: 0 })) found.push(String(problem));
  return found;
};
/** A merge of `other` into main that keeps the files of main. */
async function merge(other: Oid): Promise<Oid> {
  const head = await at('main');
  const tree = await readRoot(t.app.db, repo.id, head);
  const by = { name: 'm', email: 'm@m', atSeconds: 1_800_000_000 };
  const content = { tree, parents: [head, other], author: by, committer: by, message: 'merge' };
  const sealed = await sealCommit(content);
  const landing = { repo, ref: 'refs/heads/main', oldOid: head, reason: 'merge' as const };
  await transaction(t.app.db, (tx) =>
    landCommit(tx, ctx, { ...landing, commit: content, sealed, objects: [] }),
  );
  return sealed.oid;
}
const remove = (path: string): CommitOperation => ({ kind: 'deleteFile', path });

describe('revert', () => {
  it('takes back additions, changes and deletions in one commit on top, and only those', async () => {
    await commit('main', file('kept', '1'), file('changed', '1'), file('dir/gone', 'back'));
    const bad = await commit('main', file('new/deep', 'x'), file('changed', '2'), remove('dir/gone'));
    const head = await commit('main', file('later', 'y'));
    const { commitOid } = await revertCommit(ctx, repo, { branch: 'main', commit: bad.slice(0, 10) });
    expect(await history('main')).toEqual([commitOid, head, bad, ...(await history('main')).slice(3)]);
    expect(await files('main')).toEqual(['changed', 'dir/gone', 'kept', 'later']);
    const git = await exportRepo(t.app.db, repo.id);
    expect(git.run(['show', 'main:changed'])).toBe('1');
    expect(git.run(['log', '-1', '--format=%B', 'main'])).toBe(
      `Revert "to main"\n\nThis reverts commit ${bad}.\n\n`,
    );
    git.remove();
    await expect(revertCommit(ctx, repo, { branch: 'main', commit: bad })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('Nothing to revert'),
    });
  });

  it('is refused, with the paths, where the branch has changed since; nothing moves', async () => {
    const bad = await commit('main', file('a', '1'), file('b', '1'));
    const head = await commit('main', file('a', '2'));
    await expect(revertCommit(ctx, repo, { branch: 'main', commit: bad })).rejects.toMatchObject({
      code: 'conflict_exists',
      details: { paths: ['a'] },
    });
    await createBranch(ctx, repo, { branch: 'side', startingPoint: bad });
    const aside = await commit('side', file('c', '1'));
    await expect(revertCommit(ctx, repo, { branch: 'main', commit: aside })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await expect(
      revertCommit(ctx, repo, { branch: 'main', commit: head, parentCommit: bad }),
    ).rejects.toMatchObject({ code: 'ref_moved' });
    expect(await at('main')).toBe(head);
  });
});

describe('restore', () => {
  it('brings back a deleted branch and a squashed history, from the reflog only', async () => {
    await createBranch(ctx, repo, { branch: 'b' });
    const top = await commit('b', file('x', '1'));
    await deleteRef(ctx, repo, 'branch', 'b');
    expect((await listDeletedBranches(t.app.db, repo.id, 10)).map((e) => [e.ref, e.oldOid, e.actor])).toEqual(
      [['refs/heads/b', top, 'alice']],
    );
    const stranger = await commit('main', file('y', '1'));
    await expect(restoreBranch(ctx, repo, { branch: 'b', oid: stranger })).rejects.toMatchObject({
      code: 'revision_not_found',
    });
    expect(await restoreBranch(ctx, repo, { branch: 'b', oid: top })).toEqual({
      ref: 'refs/heads/b',
      isForced: false,
    });
    await superSquash(ctx, repo, 'b', 'one');
    await expect(restoreBranch(ctx, repo, { branch: 'b', oid: top, expected: top })).rejects.toMatchObject({
      code: 'ref_moved',
    });
    expect(await restoreBranch(ctx, repo, { branch: 'b', oid: top })).toMatchObject({ isForced: true });
    expect(await at('b')).toBe(top);
    const log = await listReflog(t.app.db, repo.id, 'refs/heads/b', { limit: 10 });
    expect(log.map((e) => e.reason)).toEqual(['restore', 'squash', 'restore', 'delete', 'commit', 'branch']);
    expect(await listDeletedBranches(t.app.db, repo.id, 10)).toEqual([]);
    expect(await problems()).toEqual([]);
  });

  it('of a history whose files were deleted for good is refused, as are branches and tags there', async () => {
    const sha256 = await giveFile(t.app.db, repo.id, 10);
    const old = await commit('main', { kind: 'lfsFile', path: 'm.bin', sha256, sizeBytes: 10 });
    await deleteLfsFiles(ctx, repo, [sha256], { rewriteHistory: true });
    for (const attempt of [
      () => restoreBranch(ctx, repo, { branch: 'main', oid: old }),
      () => createBranch(ctx, repo, { branch: 'x', startingPoint: old }),
      () => createTag(ctx, repo, { tag: 'x', revision: old }),
    ])
      await expect(attempt()).rejects.toMatchObject({
        code: 'conflict_exists',
        message: expect.stringContaining('"m.bin"'),
      });
  });
});

describe('protected and default branches', () => {
  it('keep their history from squash, rewrite, overwrite, restore and deletion, whoever asks', async () => {
    const sha256 = await giveFile(t.app.db, repo.id, 10);
    const first = await at('main');
    await commit('main', { kind: 'lfsFile', path: 'm.bin', sha256, sizeBytes: 10 });
    await createBranch(ctx, repo, { branch: 'release/1' });
    await protectBranch(ctx, repo, { pattern: 'release/*', requirePullRequest: false });
    const before = [await at('main'), await at('release/1')];
    for (const attempt of [
      () => superSquash(ctx, repo, 'release/1', 'one'),
      () => deleteRef(ctx, repo, 'branch', 'release/1'),
      () => createBranch(ctx, repo, { branch: 'release/1', startingPoint: first, overwrite: true }),
      () => deleteLfsFiles(ctx, repo, [sha256], { rewriteHistory: true }),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: 'forbidden' });
    expect([await at('main'), await at('release/1')]).toEqual(before);
    await commit('release/1', file('forward', '1'));
    const copy = await duplicateRepo(ctx, repo, { namespace: repo.namespace, name: `${repo.name}-copy` });
    expect(await listBranchRules(t.app.db, copy.id)).toEqual(await listBranchRules(t.app.db, repo.id));
    await unprotectBranch(ctx, repo, 'release/*');
    await superSquash(ctx, repo, 'release/1', 'one');
    await expect(unprotectBranch(ctx, repo, 'release/*')).rejects.toMatchObject({ code: 'not_found' });
    for (const pattern of ['', 'a\nb', 'x'.repeat(256), '[a'])
      await expect(protectBranch(ctx, repo, { pattern, requirePullRequest: false })).rejects.toMatchObject({
        code: 'invalid_input',
      });
  });

  it('a branch becomes the default one or is deleted, never both', async () => {
    for (let round = 0; round < 5; round++) {
      await createBranch(ctx, repo, { branch: 'next', overwrite: true });
      const [set, gone] = await Promise.allSettled([
        setDefaultBranch(ctx, repo, 'next'),
        deleteRef(ctx, repo, 'branch', 'next'),
      ]);
      expect([set.status, gone.status].sort()).toEqual(['fulfilled', 'rejected']);
      if (set.status === 'fulfilled') await setDefaultBranch(ctx, repo, 'main');
    }
    await expect(setDefaultBranch(ctx, repo, 'nope')).rejects.toMatchObject({ code: 'revision_not_found' });
    expect(await problems()).toEqual([]);
  });
});

describe('deleting large files for good', () => {
  it('rewrites merges and annotated tags, keeps ids before the first that changes, and git finds it whole', async () => {
    const sha256 = await giveFile(t.app.db, repo.id, 10);
    const other = await giveFile(t.app.db, repo.id, 20);
    const clean = await commit('main', file('a', '1'));
    await createBranch(ctx, repo, { branch: 'clean' });
    await createTag(ctx, repo, { tag: 'clean', revision: clean, message: 'untouched' });
    await commit('main', { kind: 'lfsFile', path: 'deep/er/m.bin', sha256, sizeBytes: 10 });
    await commit('main', { kind: 'lfsFile', path: 'o.bin', sha256: other, sizeBytes: 20 });
    await merge(await commit('clean', file('side', '1')));
    await createTag(ctx, repo, { tag: 'v1', revision: 'main', message: 'with it' });
    await commit('main', remove('deep/er/m.bin'));
    const before = await history('main');
    await deleteLfsFiles(ctx, repo, [sha256], { rewriteHistory: true });
    const after = await history('main');
    expect(after.length).toBe(before.length);
    expect(after.filter((oid) => before.includes(oid))).toHaveLength(3); // the first two and the branch beside
    const shape = (c: { parents: readonly Oid[] }) => c.parents.length;
    const commits = (await listCommits(t.app.db, repo, await at('main'), { page: 0, limit: 10 })).commits;
    expect(commits.map(shape)).toEqual([1, 2, 1, 1, 1, 1, 0]);
    expect(await at('refs/tags/clean')).toBe(clean);
    expect(await files('v1')).toEqual(['a', 'o.bin']);
    expect(await problems()).toEqual([]);
    const git = await exportRepo(t.app.db, repo.id);
    git.run(['fsck', '--full', '--strict']);
    expect(git.run(['cat-file', 'tag', 'v1'])).toContain('\n\nwith it\n');
    expect(git.run(['log', '--all', '--format=%H', '--', 'deep'])).toBe('');
    git.remove();
    await expect(deleteLfsFiles(ctx, repo, ['zz'], { rewriteHistory: true })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await expect(deleteLfsFiles(ctx, repo, [sha256], { rewriteHistory: true })).rejects.toMatchObject({
      code: 'not_found',
    });
    await deleteLfsFiles(ctx, repo, [other], { rewriteHistory: true });
    expect(await files('main')).toEqual(['a']);
  });
});

it('whatever is committed while a branch is squashed, rewritten and restored is in it in the end', async () => {
  const doomed = await Promise.all(Array.from({ length: 4 }, () => giveFile(t.app.db, repo.id, 10)));
  for (const [i, sha256] of doomed.entries())
    await commit('main', { kind: 'lfsFile', path: `bad${i}.bin`, sha256, sizeBytes: 10 });
  const writers = Array.from({ length: 4 }, async (_, w) => {
    for (let i = 0; i < 6; i++) await commit('main', file(`w${w}/${i}`, `${w} ${i}`));
  });
  const changers = [
    (async () => {
      for (let i = 0; i < 4; i++) await superSquash(ctx, repo, 'main', `squash ${i}`);
    })(),
    (async () => {
      for (const sha256 of doomed) await deleteLfsFiles(ctx, repo, [sha256], { rewriteHistory: true });
    })(),
    (async () => {
      for (let i = 0; i < 4; i++) {
        await createTag(ctx, repo, { tag: `t${i}`, revision: 'main', message: 'm' });
        await createBranch(ctx, repo, { branch: `b${i}` });
      }
    })(),
  ];
  await Promise.all([...writers, ...changers]);
  const wanted = Array.from({ length: 4 }, (_, w) =>
    Array.from({ length: 6 }, (_, i) => `w${w}/${i}`),
  ).flat();
  expect((await files('main')).sort()).toEqual(wanted.sort());
  expect(await problems()).toEqual([]);
});

it('pull requests follow a rewrite, merged and closed ones too, and none opens on what is gone', async () => {
  const sha256 = await giveFile(t.app.db, repo.id, 10);
  const numbers: number[] = [];
  for (const branch of ['merged', 'closed', 'open']) {
    await createBranch(ctx, repo, { branch });
    await commit(
      branch,
      { kind: 'lfsFile', path: `${branch}.bin`, sha256, sizeBytes: 10 },
      file(branch, '1'),
    );
    const pull = { head: branch };
    numbers.push((await createDiscussion(ctx, repo, { title: branch, description: '', pull })).num);
  }
  const [merged = 0, closed = 0, open = 0] = numbers;
  await mergePull(ctx, repo, merged);
  await changeStatus(ctx, repo, closed, { status: 'closed' });
  const old = await at(`refs/pr/${open}`);
  await deleteLfsFiles(ctx, repo, [sha256], { rewriteHistory: true });
  for (const num of numbers) expect((await files(`refs/pr/${num}`)).join()).not.toContain('.bin');
  const { rows } = await t.app.db.query<{ head: string; base: string | null; merge: string | null }>(
    `SELECT encode(head_oid, 'hex') AS head, encode(base_oid, 'hex') AS base, encode(merge_commit_oid, 'hex') AS merge
     FROM discussion WHERE repo_id = $1 ORDER BY num`,
    [repo.id],
  );
  expect(rows.map((row) => row.head)).toEqual(await Promise.all(numbers.map((num) => at(`refs/pr/${num}`))));
  expect(await history('main')).toContain(rows[0]?.merge);
  const gone = { title: 'again', description: '', pull: { head: old } };
  await expect(createDiscussion(ctx, repo, gone)).rejects.toMatchObject({ code: 'conflict_exists' });
  await mergePull(ctx, repo, open);
  expect(await files('main')).toEqual(['merged', 'open']);
  expect(await problems()).toEqual([]);
});

it('of a deletion and a commit that names the file again, one wins whole', async () => {
  for (let round = 0; round < 6; round++) {
    const sha256 = await giveFile(t.app.db, repo.id, 10);
    await commit('main', { kind: 'lfsFile', path: 'x.bin', sha256, sizeBytes: 10 });
    const [again] = await Promise.allSettled([
      commit('main', { kind: 'lfsFile', path: `y${round}.bin`, sha256, sizeBytes: 10 }),
      deleteLfsFiles(ctx, repo, [sha256], { rewriteHistory: true }),
    ]);
    if (again.status === 'rejected') expect(again.reason).toMatchObject({ code: 'invalid_object' });
    expect((await files('main')).filter((path) => path.endsWith('.bin'))).toEqual([]);
  }
  expect(await problems()).toEqual([]);
});

it('two repos never end under one name, whoever moves, creates and moves back at once', async () => {
  const other = await createRepo(ctx, { type: 'model', namespace: 'alice', name: `o${count++}` });
  for (let round = 0; round < 4; round++) {
    const name = `n${count++}`;
    const results = await Promise.allSettled([
      moveRepo(ctx, repo, { namespace: 'alice', name }),
      moveRepo(ctx, other, { namespace: 'alice', name }),
      createRepo(ctx, { type: 'model', namespace: 'alice', name }),
    ]);
    expect(results.filter((r) => r.status === 'fulfilled').length).toBe(1);
    for (const r of results)
      if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'conflict_exists' });
    if (results[0]?.status === 'fulfilled') repo = { ...repo, name };
    else break; // the others keep their names
  }
  const { rows } = await t.app.db.query(
    'SELECT name_key FROM repo WHERE deleted_at IS NULL GROUP BY type, namespace_id, name_key HAVING count(*) > 1',
  );
  expect(rows).toEqual([]);
});
