import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ctx } from '#lib/identity/context.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import { createBranch } from '#lib/repos/create-branch.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRef } from '#lib/repos/delete-ref.ts';
import { isRefName } from '#lib/repos/git/ref-name.ts';
import { resolveRevision } from '#lib/repos/resolve-revision.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { Git } from './git-binary.ts';
import { file, header, makeUser } from './people.ts';
import { countTraces } from './traces.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
let serial = 0;
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
});
afterAll(() => t.close());
beforeEach(async () => {
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: `r${serial++}` });
  return async () => {
    const problems: string[] = [];
    for await (const problem of checkRepos(t.app, { repos: 0, objects: 0 })) problems.push(String(problem));
    expect(problems).toEqual([]);
  };
});

const at = async (revision: string) => (await resolveRevision(t.app.db, repo, revision)).commitOid;
const commit = (revision: string, text: string) =>
  createCommit(ctx, repo, { revision, header: header(text), operations: [file('f', text)] });

describe('a branch', () => {
  it('begins at the default branch or any revision, takes commits of its own, and can be deleted', async () => {
    const first = await at('main');
    await commit('main', '1');
    expect(await createBranch(ctx, repo, { branch: 'feat/x' })).toEqual({
      ref: 'refs/heads/feat/x',
      commitOid: await at('main'),
    });
    await createBranch(ctx, repo, { branch: 'old', startingPoint: first.slice(0, 10) });
    expect(await at('old')).toBe(first);
    const { commitOid } = await commit('feat/x', '2');
    expect([await at('feat/x'), (await at('main')) === commitOid]).toEqual([commitOid, false]);
    await deleteRef(ctx, repo, 'branch', 'feat/x');
    await expect(at('feat/x')).rejects.toMatchObject({ code: 'revision_not_found' });
    await expect(commit('feat/x', '3')).rejects.toMatchObject({ code: 'revision_not_found' });
    await createBranch(ctx, repo, { branch: 'feat/x', startingPoint: commitOid });
  });

  it('that exists is refused, or moved when asked to', async () => {
    await commit('main', '1');
    const first = (await at('main')).slice();
    await createBranch(ctx, repo, { branch: 'b' });
    await commit('b', '2');
    await expect(createBranch(ctx, repo, { branch: 'b' })).rejects.toMatchObject({
      code: 'conflict_exists',
      message: 'Reference refs/heads/b already exists',
    });
    await createBranch(ctx, repo, { branch: 'b', overwrite: true });
    expect(await at('b')).toBe(first);
  });

  it('cannot be a folder of another, whichever of ten came first', async () => {
    await createBranch(ctx, repo, { branch: 'a' });
    for (const branch of ['a/b', 'main/x'])
      await expect(createBranch(ctx, repo, { branch })).rejects.toMatchObject({ code: 'conflict_exists' });
    const names = ['p', 'p/q', 'p/q/r', 'p', 'p/q', 'p/s', 'p', 'p/q/r', 'p/q', 'p'];
    const results = await Promise.allSettled(names.map((branch) => createBranch(ctx, repo, { branch })));
    const made = names.filter((_, i) => results[i]?.status === 'fulfilled');
    expect(made.length).toBeGreaterThan(0);
    for (const one of made)
      for (const other of made) if (one !== other) expect(`${other}/`.startsWith(`${one}/`)).toBe(false);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'conflict_exists' });
  });

  it('with a bad name, a bad starting point, the default branch and a missing one are refused without a trace', async () => {
    const before = await countTraces(t.app.db);
    const refused = async (work: Promise<unknown>, code: string, message: RegExp) =>
      expect(await work.catch((e: unknown) => e)).toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    await refused(
      createBranch(ctx, repo, { branch: 'refs/pr/5' }),
      'invalid_input',
      /^Invalid reference for a branch: refs\/pr\/5$/,
    );
    await refused(
      createBranch(ctx, repo, { branch: 'x', startingPoint: 'nope' }),
      'revision_not_found',
      /nope/,
    );
    await refused(deleteRef(ctx, repo, 'branch', 'main'), 'forbidden', /^Cannot delete refs\/heads\/main/);
    await refused(deleteRef(ctx, repo, 'branch', 'nope'), 'revision_not_found', /Invalid rev id: nope/);
    await refused(deleteRef(ctx, repo, 'branch', 'a\0'), 'revision_not_found', /./);
    expect(await countTraces(t.app.db)).toEqual(before);
  });

  it('created and deleted against commits to it: each is whole before or whole after', async () => {
    for (let round = 0; round < 5; round++) {
      await createBranch(ctx, repo, { branch: 'busy', overwrite: true });
      const results = await Promise.allSettled([
        commit('busy', `a${round}`),
        deleteRef(ctx, repo, 'branch', 'busy'),
        commit('busy', `b${round}`),
        createBranch(ctx, repo, { branch: 'busy', overwrite: true }),
      ]);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'revision_not_found' });
    }
  });
});

it('names are accepted as git check-ref-format accepts them, but for what a URL would misread', () => {
  const git = new Git();
  const names = [
    'a',
    'a/b',
    'ü',
    '-x',
    '--upload-pack=x',
    'a..b',
    'a.lock',
    'a.lock/b',
    '@{',
    'a@{b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\b',
    'a.',
    '.a',
    'a/.b',
    'a//b',
    '/a',
    'a/',
    'a\x07',
    'a\x7f',
    'feat.x',
    'a@b',
    '',
  ];
  for (const name of names) {
    let theirs = true;
    try {
      git.run(['check-ref-format', '--branch', name]);
    } catch {
      theirs = false;
    }
    expect([name, isRefName(name)]).toEqual([name, theirs]);
  }
  for (const name of [
    '@',
    'HEAD',
    'None',
    'refs/heads/x',
    'refs',
    'a'.repeat(256),
    'a'.repeat(40),
    'a\0b',
    '\ud800',
  ])
    expect([name, isRefName(name)]).toEqual([name, false]);
  git.remove();
});
