import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Oid } from '#lib/base/ids.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { countAncestors, isAncestor } from '#lib/repos/commits-db.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { type CommitContent, encodeCommit } from '#lib/repos/git/commit.ts';
import { encodeObject, KIND } from '#lib/repos/git/objects.ts';
import { EMPTY_TREE_OID } from '#lib/repos/git/tree.ts';
import { indexCommits } from '#lib/repos/index-commits.ts';
import { mergeBase, walkApart, walkCommits } from '#lib/repos/walk-commits.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { Git } from './git-binary.ts';
import { makeUser } from './people.ts';

let t: TestApp;
let alice: UserPrincipal;
beforeAll(async () => {
  t = await createTestApp();
  alice = await makeUser(t.app.db, 'alice');
});
afterAll(() => t.close());

/** A history: for each commit its parents (indices of earlier ones) and a date that need not make sense. */
const history = fc
  .array(fc.record({ parents: fc.array(fc.nat(), { maxLength: 3 }), at: fc.nat({ max: 50 }) }), {
    minLength: 2,
    maxLength: 24,
  })
  .map((nodes) =>
    nodes.map(({ parents, at }, i) => ({
      at,
      parents: i === 0 ? [] : [...new Set(parents.map((p) => p % i))],
    })),
  );

async function sealAll(nodes: { parents: number[]; at: number }[]) {
  const made: { oid: Oid; commit: CommitContent; userId: null; data: Buffer }[] = [];
  for (const [i, { parents, at }] of nodes.entries()) {
    const by = { name: 'a', email: 'a@a', atSeconds: 1_700_000_000 + at };
    const commit = {
      tree: EMPTY_TREE_OID,
      parents: parents.map((p) => made[p]?.oid as Oid),
      author: by,
      committer: by,
      message: String(i),
    };
    const data = encodeCommit(commit);
    made.push({ oid: (await encodeObject(KIND.commit, data)).oid, commit, userId: null, data });
  }
  return made;
}

let repos = 0;

it('ancestry, merge bases, counts and order of any history are what git says, whatever the dates', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.infiniteStream(fc.nat()), async (nodes, numbers) => {
      const git = new Git('--bare');
      try {
        const made = await sealAll(nodes);
        git.run(['hash-object', '-t', 'tree', '-w', '--stdin']);
        for (const { data } of made) git.run(['hash-object', '-t', 'commit', '-w', '--stdin'], data);
        const { id } = await createRepo(t.ctxFor(alice), {
          type: 'model',
          namespace: 'alice',
          name: `r${repos++}`,
        });
        const shuffled = made.map((commit) => [numbers.next().value as number, commit] as const);
        shuffled.sort(([a], [b]) => a - b);
        const half = made.slice(0, Math.ceil(made.length / 2)); // in two pushes, each in any order
        const inFirst = (commit: (typeof made)[number]) => half.includes(commit);
        const order = shuffled.map(([, commit]) => commit);
        await indexCommits(t.app.db, id, order.filter(inFirst));
        await indexCommits(
          t.app.db,
          id,
          order.filter((commit) => !inFirst(commit)),
        );

        const [a, b] = order.map(({ oid }) => oid) as [Oid, Oid];
        const lines = (...args: string[]) => git.run(args, '', 1).split('\n').filter(Boolean);
        for (const oid of [a, b]) {
          const reached = lines('rev-list', oid);
          expect(await countAncestors(t.app.db, id, oid)).toBe(reached.length);
          const walked = [];
          for await (const node of walkCommits(t.app.db, id, oid)) walked.push(node);
          expect(walked.map((node) => node.oid).sort()).toEqual(reached.sort());
          for (const [at, { parents }] of walked.entries())
            for (const parent of parents)
              expect(walked.findIndex((node) => node.oid === parent)).toBeGreaterThan(at);
        }
        const bases = lines('merge-base', '--all', a, b);
        const base = await mergeBase(t.app.db, id, a, b);
        expect(bases.length === 0 ? base === null : bases.includes(base as Oid)).toBe(true);
        expect(await isAncestor(t.app.db, id, a, b)).toBe(bases.includes(a));
        const right: Oid[] = [];
        for await (const { oid, side } of walkApart(t.app.db, id, a, b))
          if (side === 'right') right.push(oid);
        expect(right.sort()).toEqual(lines('rev-list', b, `^${a}`).sort());
      } finally {
        git.remove();
      }
    }),
    { numRuns: 40 },
  );
});

it('a commit whose parent is nowhere is refused, and a second time changes nothing', async () => {
  const { id } = await createRepo(t.ctxFor(alice), { type: 'model', namespace: 'alice', name: 'orphans' });
  const [root, child] = await sealAll([
    { parents: [], at: 1 },
    { parents: [0], at: 2 },
  ]);
  if (!root || !child) throw new Error('not made');
  await expect(indexCommits(t.app.db, id, [child])).rejects.toThrow(/missing/);
  await indexCommits(t.app.db, id, [root, child]);
  await indexCommits(t.app.db, id, [child, root]);
  expect(await countAncestors(t.app.db, id, child.oid)).toBe(2);
});
