import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import type { CommitContent } from '#lib/repos/git/commit.ts';
import { EMPTY_TREE_OID } from '#lib/repos/git/tree.ts';
import { indexCommits } from '#lib/repos/index-commits.ts';
import { lastCommits } from '#lib/repos/last-commits.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import { listTree, pathsInfo } from '#lib/repos/read-tree.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { exportRepo, type Git } from './git-binary.ts';
import { file, header, makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
let head: Oid;
let git: Git;
const COMMITS = 130; // more than one chunk of a walk

beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'r' });
  for (let i = 0; i < COMMITS; i++) {
    const operations: CommitOperation[] = [file(`d${i % 3}/sub/f${i % 7}`, `${i}`)];
    if (i % 10 === 5) operations.push(file(`once${i}`, ''));
    if (i === 60) operations.push({ kind: 'deleteFile', path: 'once25' });
    head = (await createCommit(ctx, repo, { revision: 'main', header: header(`commit ${i}`), operations }))
      .commitOid;
  }
  git = await exportRepo(t.app.db, repo.id);
});
afterAll(async () => {
  git.remove();
  await t.close();
});

async function pages(path: string, recursive: boolean, limit: number): Promise<string[]> {
  const paths: string[] = [];
  let after: string | undefined;
  do {
    const page = await listTree(ctx, repo, head, path, {
      recursive,
      limit,
      ...(after === undefined ? {} : { after }),
    });
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    paths.push(...page.entries.map((entry) => entry.path));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return paths;
}
const lsTree = (...args: string[]) =>
  git
    .run(['ls-tree', '--name-only', '-z', ...args])
    .split('\0')
    .filter(Boolean);

describe('a tree', () => {
  it('in pages of any size is what git ls-tree lists, folders among it, none twice, none missing', async () => {
    for (const limit of [1, 2, 3, 7, 1000]) {
      expect(await pages('', true, limit)).toEqual(lsTree('-r', '-t', 'main'));
      expect(await pages('', false, limit)).toEqual(lsTree('main'));
      expect(await pages('d1', true, limit)).toEqual(
        lsTree('-r', '-t', 'main', 'd1/').filter((p) => p !== 'd1'),
      );
      expect(await pages('d1/sub/', false, limit)).toEqual(lsTree('main', 'd1/sub/'));
    }
  });

  it('of a folder that is not there, or of a file, is entry_not_found; a cursor of elsewhere is invalid_input', async () => {
    for (const path of ['nope', 'd1/nope', 'once5', 'd1//sub', '..'])
      await expect(listTree(ctx, repo, head, path, { recursive: false, limit: 10 })).rejects.toMatchObject({
        code: 'entry_not_found',
        details: { commitOid: head },
      });
    for (const after of ['nope', 'd0/sub/f0', 'd1/x', '../x'])
      await expect(
        listTree(ctx, repo, head, 'd1', { recursive: true, limit: 10, after }),
      ).rejects.toMatchObject({
        code: 'invalid_input',
      });
  });

  it('answers about single paths in the order asked, without those that are missing', async () => {
    const found = await pathsInfo(ctx, repo, head, [
      'once5',
      'nope',
      'd1/sub',
      'd1/sub/f1',
      'once5',
      'once5/x',
      '',
      'd1/sub/',
    ]);
    expect(found.map((entry) => [entry.path, entry.type, entry.sizeBytes > 0])).toEqual([
      ['once5', 'file', false],
      ['d1/sub', 'directory', false],
      ['d1/sub/f1', 'file', true],
    ]);
  });
});

describe('history', () => {
  it('in pages is what git log lists, with the number of all commits', async () => {
    const theirs = git.run(['log', '--format=%H %s', 'main']).trim().split('\n');
    const ours: string[] = [];
    for (let page = 0; ; page++) {
      const { commits, total } = await listCommits(t.app.db, repo, head, { page, limit: 50 });
      expect(total).toBe(COMMITS + 1);
      if (commits.length === 0) break;
      ours.push(...commits.map((commit) => `${commit.oid} ${commit.title}`));
    }
    expect(ours).toEqual(theirs);
  });

  it('names for each entry of a folder the commit that git log names', async () => {
    for (const folder of ['', 'd0', 'd2/sub']) {
      const { entries } = await listTree(ctx, repo, head, folder, { recursive: false, limit: 100 });
      const names = entries.map((entry) => entry.path.slice(entry.path.lastIndexOf('/') + 1));
      const found = await lastCommits(t.app.db, repo, head, folder, [...names, 'nope', 'once25']);
      expect([...found.keys()].sort()).toEqual([...names].sort());
      for (const entry of entries) {
        const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
        const theirs = git.run(['log', '-1', '--format=%H', 'main', '--', entry.path]).trim();
        expect([entry.path, found.get(name)?.oid]).toEqual([entry.path, theirs]);
      }
    }
  });

  it('with side branches lists every commit once, children before parents', async () => {
    const { db } = t.app;
    const side = 'ab'.repeat(20) as Oid;
    const merge = 'cd'.repeat(20) as Oid;
    const base = (await listCommits(db, repo, head, { page: 0, limit: 3 })).commits[2]?.oid;
    const content = (...parents: (Oid | undefined)[]): CommitContent => {
      const by = { name: 'x', email: 'x@x', atSeconds: 1 };
      return { tree: EMPTY_TREE_OID, parents: parents as Oid[], author: by, committer: by, message: 'side' };
    };
    await indexCommits(db, repo.id, [
      { oid: merge, commit: content(head, side), userId: null },
      { oid: side, commit: content(base), userId: null },
    ]);
    const { commits, total } = await listCommits(db, repo, merge, { page: 0, limit: 1000 });
    const order = commits.map((commit) => commit.oid as string);
    expect([total, new Set(order).size]).toEqual([COMMITS + 3, COMMITS + 3]);
    expect(order[0]).toBe(merge);
    for (const commit of commits)
      for (const parent of commit.parents)
        expect(order.indexOf(parent)).toBeGreaterThan(order.indexOf(commit.oid));
  });
});
