import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Oid } from '#lib/base/ids.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { fileHistory } from '#lib/repos/file-history.ts';
import { type CommitContent, encodeCommit } from '#lib/repos/git/commit.ts';
import { insertObjects } from '#lib/repos/git/db.ts';
import { type EncodedObject, encodeObject, KIND } from '#lib/repos/git/objects.ts';
import { encodeTree, MODE, type TreeLine } from '#lib/repos/git/tree.ts';
import { indexCommits } from '#lib/repos/index-commits.ts';
import { indexPaths } from '#lib/repos/index-paths.ts';
import { lastCommits } from '#lib/repos/last-commits.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { exportRepo } from './git-binary.ts';
import { file, header, makeUser } from './people.ts';

let t: TestApp;
let alice: UserPrincipal;
beforeAll(async () => {
  t = await createTestApp();
  alice = await makeUser(t.app.db, 'alice');
});
afterAll(() => t.close());

const PATHS = ['a', 'd/x', 'd/y', 'e/f/z'];
const PLACES = ['a', 'd', 'e', 'd/x', 'd/y', 'e/f', 'e/f/z'];

interface Node {
  readonly parents: number[];
  readonly at: number;
  readonly files: number[];
}

/** A history: for each commit its parents (indices of earlier ones), a date that need not make sense, and each path's content or 0 for none. */
const history: fc.Arbitrary<Node[]> = fc
  .array(
    fc.record({
      parents: fc.array(fc.nat(), { maxLength: 3 }),
      at: fc.nat({ max: 50 }),
      files: fc.tuple(...PATHS.map(() => fc.nat({ max: 2 }))),
    }),
    { minLength: 2, maxLength: 16 },
  )
  .map((nodes) =>
    nodes.map((node, i) => ({
      ...node,
      parents: i === 0 ? [] : [...new Set(node.parents.map((p) => p % i))],
    })),
  );

/** The trees of a flat list of files; the root comes last. */
async function sealTree(files: ReadonlyMap<string, EncodedObject>): Promise<EncodedObject[]> {
  const lines: TreeLine[] = [];
  const made: EncodedObject[] = [];
  const folders = Map.groupBy([...files], ([path]) =>
    path.includes('/') ? path.slice(0, path.indexOf('/')) : '',
  );
  for (const [folder, inside] of folders) {
    if (folder === '') {
      for (const [name, blob] of inside) lines.push({ mode: MODE.file, name, oid: blob.oid });
      continue;
    }
    const below = await sealTree(
      new Map(inside.map(([path, blob]) => [path.slice(folder.length + 1), blob])),
    );
    made.push(...below);
    lines.push({ mode: MODE.directory, name: folder, oid: below.at(-1)?.oid as Oid });
  }
  return [...made, await encodeObject(KIND.tree, encodeTree(lines))];
}

let repos = 0;
const newRepo = () => createRepo(t.ctxFor(alice), { type: 'model', namespace: 'alice', name: `r${repos++}` });

async function writeHistory(repo: Repo, nodes: readonly Node[]): Promise<Oid[]> {
  const oids: Oid[] = [];
  const commits: { oid: Oid; commit: CommitContent; userId: null }[] = [];
  const objects: EncodedObject[] = [];
  for (const [i, { parents, at, files }] of nodes.entries()) {
    const blobs = new Map<string, EncodedObject>();
    for (const [j, path] of PATHS.entries())
      if (files[j]) blobs.set(path, await encodeObject(KIND.blob, Buffer.from(`${files[j]}`)));
    const trees = await sealTree(blobs);
    const by = { name: 'a', email: 'a@a', atSeconds: 1_700_000_000 + at };
    const parentOids = parents.map((p) => oids[p] as Oid);
    const tree = trees.at(-1)?.oid as Oid;
    const commit = { tree, parents: parentOids, author: by, committer: by, message: `${i}` };
    const sealed = await encodeObject(KIND.commit, encodeCommit(commit));
    objects.push(...blobs.values(), ...trees, sealed);
    commits.push({ oid: sealed.oid, commit, userId: null });
    oids.push(sealed.oid);
  }
  await insertObjects(t.app.db, repo.id, [...new Map(objects.map((o) => [o.oid, o])).values()]);
  await indexCommits(t.app.db, repo.id, commits);
  return oids;
}

const splitPath = (path: string) => {
  const slash = path.lastIndexOf('/');
  return [slash < 0 ? '' : path.slice(0, slash), path.slice(slash + 1)] as const;
};

describe('the last commit of a path', () => {
  it('and its whole history are what git log says, in any history with merges, before and after it is indexed', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), async (nodes, half) => {
        const repo = await newRepo();
        const oids = await writeHistory(repo, nodes.slice(0, half % nodes.length));
        const isHalf = oids.length > 0 && half % 2 === 0; // the older commits indexed, the newer not
        if (isHalf) await indexPaths(t.app, repo.id, new AbortController().signal);
        const all = await writeHistory(repo, nodes);
        const git = await exportRepo(t.app.db, repo.id);
        const check = async () => {
          for (const tip of all.slice(-2)) {
            for (const place of PLACES) {
              const [folder, name] = splitPath(place);
              const last = git.run(['log', '-1', '--format=%H', tip, '--', place]).trim();
              const isThere = git.run(['ls-tree', tip, place]) !== '';
              const found = await lastCommits(t.app.db, repo, tip, folder, [name]);
              expect([place, found.get(name)?.oid]).toEqual([place, isThere ? last : undefined]);
              const whole = git.run(['log', '--format=%H', tip, '--', place]).split('\n').filter(Boolean);
              const { commits } = await fileHistory(t.app.db, repo, tip, place, { page: 0, limit: 100 });
              expect(commits.map((c) => c.oid).sort()).toEqual(whole.sort());
            }
          }
        };
        try {
          await check();
          await indexPaths(t.app, repo.id, new AbortController().signal);
          const { rows } = await t.app.db.query(
            'SELECT 1 FROM commit_index WHERE repo_id = $1 AND NOT has_paths',
            [repo.id],
          );
          expect(rows).toEqual([]);
          await check();
        } finally {
          git.remove();
        }
      }),
      { numRuns: 6 },
    );
  });

  it('is found along an exact rename one step at a time, page by page', async () => {
    const repo = await newRepo();
    const ctx = t.ctxFor(alice);
    const commit = async (...operations: CommitOperation[]) =>
      (await createCommit(ctx, repo, { revision: 'main', header: header('c'), operations })).commitOid;
    const first = await commit(file('old/name', 'text'));
    const renamed = await commit(file('new', 'text'), { kind: 'deleteFile', path: 'old/name' });
    const changed = await commit(file('new', 'other'));
    for (const run of ['trees', 'index']) {
      const page = (path: string, page: number) =>
        fileHistory(t.app.db, repo, changed, path, { page, limit: 1 });
      expect([run, await page('new', 0)]).toMatchObject([
        run,
        { commits: [{ oid: changed, renamedFrom: null }], hasNext: true },
      ]);
      expect(await page('new', 1)).toMatchObject({
        commits: [{ oid: renamed, renamedFrom: { path: 'old/name', commitOid: first } }],
        hasNext: false,
      });
      expect((await page('old/name', 0)).commits).toMatchObject([{ oid: renamed }]);
      expect(await page('never', 0)).toEqual({ commits: [], hasNext: false });
      await indexPaths(t.app, repo.id, new AbortController().signal);
    }
  });
});
