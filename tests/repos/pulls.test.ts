import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '#lib/base/errors.ts';
import { isHubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { createBranch } from '#lib/repos/create-branch.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRef } from '#lib/repos/delete-ref.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { protectBranch } from '#lib/repos/protect-branch.ts';
import { changeStatus, pinDiscussion, renameDiscussion } from '#lib/repos/pulls/change-discussion.ts';
import { createDiscussion } from '#lib/repos/pulls/create-discussion.ts';
import { createPullCommit } from '#lib/repos/pulls/create-pull-commit.ts';
import { deleteDiscussion } from '#lib/repos/pulls/delete-discussion.ts';
import { deletePullRef } from '#lib/repos/pulls/delete-pull-ref.ts';
import { editComment, hideComment } from '#lib/repos/pulls/edit-comment.ts';
import { getDiscussion } from '#lib/repos/pulls/get-discussion.ts';
import { mergePull } from '#lib/repos/pulls/merge-pull.ts';
import { rebasePull } from '#lib/repos/pulls/rebase-pull.ts';
import { writeComment } from '#lib/repos/pulls/write-comment.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { resolveRevision } from '#lib/repos/resolve-revision.ts';
import type { Repo } from '#lib/repos/types.ts';
import { updateSettings } from '#lib/repos/update-settings.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { exportRepo } from './git-binary.ts';
import { file, header, makeUser } from './people.ts';

let t: TestApp;
let alice: Ctx;
let bob: Ctx;
let readOnly: Ctx;
let bobUser: UserPrincipal;
beforeAll(async () => {
  t = await createTestApp();
  const aliceUser = await makeUser(t.app.db, 'alice');
  bobUser = await makeUser(t.app.db, 'bob');
  alice = t.ctxFor(aliceUser);
  bob = t.ctxFor(bobUser);
  readOnly = t.ctxFor({ ...bobUser, token: { ...(bobUser.token as object), role: 'read' } as never });
});
afterAll(() => t.close());

const codeOf = (work: Promise<unknown>): Promise<ErrorCode | 'done'> =>
  work.then(
    () => 'done' as const,
    (error: unknown) => {
      if (isHubError(error)) return error.code;
      throw error;
    },
  );
/** The distinct outcomes of several requests at once. */
const codesOf = async (works: readonly Promise<unknown>[]) => [
  ...new Set(await Promise.all(works.map(codeOf))),
];
const makeRepo = (name: string, visibility: 'public' | 'private' = 'public') =>
  createRepo(alice, { type: 'model', namespace: 'alice', name, visibility });
const commit = (ctx: Ctx, repo: Repo, revision: string, path: string, text: string) =>
  createCommit(ctx, repo, { revision, header: header(path), operations: [file(path, text)] });
const propose = (ctx: Ctx, repo: Repo, path: string, text: string) =>
  createPullCommit(ctx, repo, {
    revision: 'main',
    header: header(`put ${path}`),
    operations: [file(path, text)],
  });
const talk = (ctx: Ctx, repo: Repo, title = 'A question') =>
  createDiscussion(ctx, repo, { title, description: 'text', pull: null });
async function filesOf(repo: Repo, revision = 'main'): Promise<string[]> {
  const { commitOid } = await resolveRevision(t.app.db, repo, revision);
  const { entries } = await listTree(alice, repo, commitOid, '', { recursive: true, limit: 1000 });
  return entries
    .filter((entry) => entry.type === 'file' && entry.path !== '.gitattributes')
    .map((entry) => entry.path);
}

describe('numbers', () => {
  it('30 at once, discussions and pull requests, get 1 to 30 without gap or twin; a failed one takes none', async () => {
    const repo = await makeRepo('numbers');
    const made = await Promise.all(
      Array.from({ length: 30 }, (_, i) => (i % 2 ? talk(bob, repo) : propose(bob, repo, `f${i}`, 'x'))),
    );
    expect(made.map(({ num }) => num).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 1),
    );
    expect(await codeOf(propose(bob, repo, '.gitattributes/x', 'x'))).toBe('invalid_path');
    expect((await talk(bob, repo)).num).toBe(31);
  });
});

describe('races', () => {
  it('of ten merges of one pull request at once one takes effect', async () => {
    const repo = await makeRepo('double');
    const { num } = await propose(bob, repo, 'f', 'x');
    const codes = await Promise.all(Array.from({ length: 10 }, () => codeOf(mergePull(alice, repo, num))));
    expect(codes.filter((code) => code === 'done')).toHaveLength(1);
    expect(codes.filter((code) => code === 'conflict_exists')).toHaveLength(9);
    const { events } = await getDiscussion(bob, repo, num);
    expect(events.filter((event) => event.kind === 'status-change')).toHaveLength(1);
  });

  it('20 closings and openings at once alternate: none is made twice in a row', async () => {
    const repo = await makeRepo('flips');
    const { num } = await talk(bob, repo);
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        codeOf(changeStatus(bob, repo, num, { status: i % 2 ? 'open' : 'closed' })),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['done', 'conflict_exists']));
    const { events, discussion } = await getDiscussion(bob, repo, num);
    const statuses = events.flatMap((event) => (event.kind === 'status-change' ? [event.data.status] : []));
    expect(statuses).toEqual(statuses.map((_, i) => (i % 2 ? 'open' : 'closed')));
    expect(discussion.status).toBe(statuses.at(-1));
  });

  it('25 merges and 25 commits to one branch at once: all land, nothing is lost, one chain, fsck is clean', async () => {
    const repo = await makeRepo('busy');
    const pulls = [];
    for (let i = 0; i < 25; i++) pulls.push((await propose(bob, repo, `pr/${i}`, `${i}`)).num);
    await Promise.all([
      ...pulls.map((num) => mergePull(alice, repo, num)),
      ...pulls.map((num) => commit(alice, repo, 'main', `main/${num}`, `${num}`)),
    ]);
    const expected = [...pulls.map((_, i) => `pr/${i}`), ...pulls.map((num) => `main/${num}`)];
    expect((await filesOf(repo)).sort()).toEqual(expected.sort());
    const { rows } = await t.app.db.query<{ old: string | null; new: string }>(
      `SELECT encode(old_oid, 'hex') AS old, encode(new_oid, 'hex') AS new FROM ref_update
       WHERE repo_id = $1 AND name = 'refs/heads/main' ORDER BY id`,
      [repo.id],
    );
    for (const [i, row] of rows.entries()) expect(row.old).toBe(rows[i - 1]?.new ?? null);
    expect(rows).toHaveLength(51);
    const git = await exportRepo(t.app.db, repo.id);
    expect(git.run(['fsck', '--strict', '--full', '--no-dangling'])).toBe('');
    git.remove();
  });

  it('commits to a pull request while it is merged: each is in the merge, or refused, or stays visible on its ref', async () => {
    const repo = await makeRepo('late');
    const { num } = await propose(bob, repo, 'first', 'x');
    const revision = `refs/pr/${num}`;
    const [merged, ...codes] = await Promise.all([
      mergePull(alice, repo, num),
      ...Array.from({ length: 8 }, (_, i) => codeOf(commit(bob, repo, revision, `late/${i}`, 'x'))),
    ]);
    const inMain = new Set(await filesOf(repo, merged.mergeCommitOid));
    const landed = codes.flatMap((code, i) => (code === 'done' ? [`late/${i}`] : []));
    expect(codes.every((code) => code === 'done' || code === 'forbidden')).toBe(true);
    expect([...inMain].filter((path) => path.startsWith('late/')).sort()).toEqual(landed.sort());
  });
});

describe('who may', () => {
  it('nobody else finds a private repo’s discussions, and read-only tokens write nothing', async () => {
    const secret = await makeRepo('secret', 'private');
    const { num } = await talk(alice, secret);
    const open = await makeRepo('open');
    expect(
      await codesOf([
        getDiscussion(bob, secret, num),
        talk(bob, secret),
        writeComment(bob, secret, num, { text: 'x' }),
        mergePull(bob, secret, num),
        propose(bob, secret, 'f', 'x'),
      ]),
    ).toEqual(['repo_not_found']);
    expect(await codeOf(talk(readOnly, open))).toBe('forbidden');
    expect(await codeOf(propose(readOnly, open, 'f', 'x'))).toBe('forbidden');
    expect(await codeOf(talk(t.ctxFor(), open))).toBe('unauthenticated');
  });

  it('strangers take part in public ones but steer only what is theirs', async () => {
    const repo = await makeRepo('steer');
    const { num } = await talk(alice, repo);
    const mine = await propose(bob, repo, 'f', 'x');
    const said = await writeComment(alice, repo, num, { text: 'by alice' });
    const own = await writeComment(bob, repo, num, { text: 'by bob' });
    expect(
      await Promise.all(
        [
          renameDiscussion(bob, repo, num, 'Mine now'),
          changeStatus(bob, repo, num, { status: 'closed' }),
          pinDiscussion(bob, repo, num, true),
          mergePull(bob, repo, mine.num),
          editComment(bob, repo, num, { id: said.event.id, text: 'lies' }),
          hideComment(bob, repo, num, said.event.id),
          deleteDiscussion(bob, repo, num),
          deletePullRef(bob, repo, mine.num),
          commit(bob, repo, 'main', 'f', 'x'),
          editComment(alice, repo, num, { id: own.event.id, text: 'not even a writer edits' }),
        ].map(codeOf),
      ),
    ).toEqual(Array.from({ length: 10 }, () => 'forbidden'));
    expect(
      await Promise.all(
        [
          renameDiscussion(bob, repo, mine.num, 'Better name'),
          hideComment(alice, repo, num, own.event.id),
          commit(bob, repo, `refs/pr/${mine.num}`, 'g', 'x'),
          commit(alice, repo, `refs/pr/${mine.num}`, 'h', 'x'),
        ].map(codeOf),
      ),
    ).toEqual(['done', 'done', 'done', 'done']);
    const carol = t.ctxFor(await makeUser(t.app.db, 'carol'));
    expect(await codeOf(commit(carol, repo, `refs/pr/${mine.num}`, 'i', 'x'))).toBe('forbidden');
    expect(await codeOf(commit(bob, repo, 'refs/pr/99', 'i', 'x'))).toBe('forbidden');
    expect(await codeOf(commit(alice, repo, 'refs/pr/99', 'i', 'x'))).toBe('revision_not_found');
    const edited = await codeOf(editComment(bob, repo, num, { id: own.event.id, text: 'hidden stays' }));
    expect(edited).toBe('invalid_input');
  });

  it('a repo whose discussions are turned off takes none', async () => {
    const repo = await makeRepo('quiet');
    await updateSettings(alice, repo, { discussionsDisabled: true });
    expect(await codeOf(talk(bob, repo))).toBe('forbidden');
    expect(await codeOf(propose(bob, repo, 'f', 'x'))).toBe('forbidden');
    expect(await codeOf(updateSettings(bob, repo, { discussionsDisabled: false }))).toBe('forbidden');
    await updateSettings(alice, repo, { discussionsDisabled: false });
    expect((await talk(bob, repo)).num).toBe(1);
  });
});

describe('a pull request from a branch', () => {
  it('lists its commits, is rebased when the branch has moved on, keeps authors, and merges', async () => {
    const repo = await makeRepo('from-branch');
    await commit(alice, repo, 'main', 'base.txt', 'one\ntwo\nthree\nfour\nfive\n');
    await createBranch(alice, repo, { branch: 'feat' });
    await commit(alice, repo, 'feat', 'new.txt', 'new');
    await commit(alice, repo, 'feat', 'base.txt', 'one\ntwo\nthree\nfour\nFIVE\n');
    await commit(alice, repo, 'main', 'base.txt', 'ONE\ntwo\nthree\nfour\nfive\n');
    const request = { title: 'The feature', description: '', pull: { base: 'main', head: 'feat' } };
    const { num } = await createDiscussion(bob, repo, request);
    const before = await getDiscussion(bob, repo, num);
    expect(before.merge).toMatchObject({ behind: 1, conflicts: [], hasRef: true });
    expect(before.events.map((event) => event.kind)).toEqual(['comment', 'commit', 'commit']);
    const { headOid } = await rebasePull(bob, repo, num);
    const after = await getDiscussion(bob, repo, num);
    expect(after.merge).toMatchObject({ behind: 0, headOid, commits: [headOid, expect.anything()] });
    expect(after.events.at(-1)).toMatchObject({ kind: 'head-change', data: { to: headOid, isRebase: true } });
    expect((await rebasePull(bob, repo, num)).headOid).toBe(headOid);
    const git = await exportRepo(t.app.db, repo.id);
    expect(git.run(['show', `${headOid}:base.txt`])).toBe('ONE\ntwo\nthree\nfour\nFIVE\n');
    expect(git.run(['log', '--format=%an %s', `main..refs/pr/${num}`])).toBe(
      'alice base.txt\nalice new.txt\n',
    );
    git.remove();
    const { mergeCommitOid } = await mergePull(alice, repo, num);
    const done = await getDiscussion(bob, repo, num);
    expect(done.discussion).toMatchObject({ status: 'merged', pull: { mergeCommitOid } });
    expect(done.merge?.commits).toHaveLength(2);
    await deletePullRef(alice, repo, num);
    const kept = await getDiscussion(bob, repo, num);
    expect(kept.merge).toMatchObject({ hasRef: false, headOid });
    expect(kept.events.at(-1)?.kind).toBe('ref-deleted');
  });

  it('with nothing new, without its branch, in conflict, or without history in common says so', async () => {
    const repo = await makeRepo('edges');
    await createBranch(alice, repo, { branch: 'same' });
    const from = (head: string, base?: string) =>
      codeOf(createDiscussion(bob, repo, { title: 'Edge', description: '', pull: { head, base } }));
    expect(await from('same')).toBe('invalid_input');
    expect(await from('nope')).toBe('revision_not_found');
    expect(await from('same', 'refs/tags/x')).toBe('revision_not_found');
    await createBranch(alice, repo, { branch: 'target' });
    const { num } = await createPullCommit(bob, repo, {
      revision: 'target',
      header: header('t'),
      operations: [file('f', 'pr')],
    });
    await commit(alice, repo, 'target', 'f', 'other');
    expect((await getDiscussion(bob, repo, num)).merge?.conflicts).toEqual(['f']);
    expect(await codeOf(mergePull(alice, repo, num))).toBe('conflict_exists');
    expect(await codeOf(rebasePull(bob, repo, num))).toBe('conflict_exists');
    await deleteRef(alice, repo, 'branch', 'target');
    expect(await codeOf(mergePull(alice, repo, num))).toBe('invalid_input');
    expect((await getDiscussion(bob, repo, num)).merge).toMatchObject({ branchOid: null });
    expect(await codeOf(deletePullRef(alice, repo, num))).toBe('invalid_input');
    await deleteDiscussion(alice, repo, num);
    expect(await codeOf(getDiscussion(bob, repo, num))).toBe('not_found');
    expect((await talk(bob, repo)).num).toBe(num + 1);
  });
});

describe('a branch that takes pull requests only', () => {
  it('is moved by a merge and by nothing else', async () => {
    const repo = await makeRepo('guarded');
    const { num } = await propose(bob, repo, 'f', 'x');
    await protectBranch(alice, repo, { pattern: 'main', requirePullRequest: true });
    expect(await codeOf(commit(alice, repo, 'main', 'g', 'x'))).toBe('forbidden');
    await mergePull(alice, repo, num);
    expect(await filesOf(repo)).toEqual(['f']);
  });
});

describe('bad input', () => {
  it('titles, texts, anchors, ids of other discussions and repos are refused by name; a deleted repo is gone', async () => {
    const repo = await makeRepo('input');
    const other = await makeRepo('other');
    const { num } = await talk(bob, repo);
    const { num: elsewhere } = await talk(bob, other);
    const said = await writeComment(bob, other, elsewhere, { text: 'x' });
    const pull = await propose(bob, repo, 'f', 'x');
    const anchor = (path: string, line: number) => ({
      text: 'x',
      anchor: { path, side: 'after' as const, line },
    });
    expect(
      await codesOf([
        talk(bob, repo, 'ab'),
        talk(bob, repo, 'x'.repeat(201)),
        talk(bob, repo, 'two\nlines'),
        createDiscussion(bob, repo, { title: 'Long', description: 'x'.repeat(65_537), pull: null }),
        writeComment(bob, repo, num, { text: ' \n' }),
        writeComment(bob, repo, num, { text: 'x'.repeat(65_537) }),
        writeComment(bob, repo, num, anchor('f', 1)),
        writeComment(bob, repo, pull.num, anchor('', 1)),
        writeComment(bob, repo, pull.num, anchor('f', 0)),
        writeComment(bob, repo, pull.num, anchor('f', 1.5)),
        mergePull(alice, repo, num),
      ]),
    ).toEqual(['invalid_input']);
    expect(
      await codesOf([
        editComment(bob, repo, num, { id: said.event.id, text: 'x' }),
        hideComment(bob, repo, num, said.event.id),
        editComment(bob, repo, num, { id: "'; drop table discussion; --", text: 'x' }),
        writeComment(bob, repo, 999, { text: 'x' }),
        getDiscussion(bob, repo, 0),
      ]),
    ).toEqual(['not_found']);
    const nul = await writeComment(bob, repo, num, { text: 'a\0b\ud800' });
    expect(nul.event.comment?.raw).toBe('ab\ufffd');
    await deleteRepo(alice, repo);
    expect(await codeOf(writeComment(bob, repo, num, { text: 'x' }))).toBe('repo_not_found');
    expect(await codeOf(mergePull(alice, repo, pull.num))).toBe('repo_not_found');
  });

  it('nobody floods a hub: opening is bounded by the hour', async () => {
    const repo = await makeRepo('flood');
    const dave = t.ctxFor(await makeUser(t.app.db, 'dave'));
    const codes = [];
    for (let i = 0; i < 125; i++) codes.push(await codeOf(talk(dave, repo)));
    expect(codes.filter((code) => code === 'done')).toHaveLength(120);
    expect(codes.slice(120)).toEqual(Array.from({ length: 5 }, () => 'rate_limited'));
  });

  it('a discussion that has become too long takes no more', async () => {
    const repo = await makeRepo('long');
    const { num } = await talk(bob, repo);
    const text = 'é'.repeat(65_000);
    let code: string = 'done';
    for (let i = 0; i < 70 && code === 'done'; i++)
      code = await codeOf(writeComment(bob, repo, num, { text }));
    expect(code).toBe('invalid_input');
    expect((await getDiscussion(bob, repo, num)).events.length).toBe(65);
  });
});
