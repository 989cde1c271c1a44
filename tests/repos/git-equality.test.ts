import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isHubError } from '#lib/base/errors.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { decodeObject, encodeObject, KIND } from '#lib/repos/git/objects.ts';
import { encodeTree, parseTree } from '#lib/repos/git/tree.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { readRoot, resolveRevision } from '#lib/repos/resolve-revision.ts';
import type { CommitOperation } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { exportRepo, Git } from './git-binary.ts';
import { header, makeUser } from './people.ts';

let t: TestApp;
let alice: UserPrincipal;
const git = new Git();
beforeAll(async () => {
  t = await createTestApp();
  alice = await makeUser(t.app.db, 'alice');
});
afterAll(async () => {
  git.remove();
  await t.close();
});

const name = fc.constantFrom('a', 'b', 'a.b', 'a-', 'ab', 'é', '😀', '\ufffd', 'z z', '"', 'a\\b');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const operation: fc.Arbitrary<CommitOperation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('file' as const),
      path,
      content: fc.constantFrom('x', 'y', '').map((c) => Buffer.from(c)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteFile' as const), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteFolder' as const), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteEntry' as const), path }) },
);

type Files = Map<string, string>;

/** What git's index does with one operation; an error code where it refuses. */
function applyToIndex(files: Files, op: CommitOperation): string | null {
  if (op.kind === 'file') {
    const blob = git.run(['hash-object', '-w', '--stdin'], op.content).trim();
    try {
      git.run(['update-index', '--add', '--cacheinfo', `100644,${blob},${op.path}`]);
    } catch {
      return 'invalid_path';
    }
    files.set(op.path, blob);
    return null;
  }
  const below = [...files.keys()].filter((p) => p.startsWith(`${op.path}/`));
  const gone = op.kind === 'deleteFolder' ? below : [...below, ...(files.has(op.path) ? [op.path] : [])];
  if (gone.length === 0) return 'entry_not_found';
  git.run(['update-index', '--force-remove', '-z', '--stdin'], gone.map((p) => `${p}\0`).join(''));
  for (const p of gone) files.delete(p);
  return null;
}

const fields = (text: string) => text.split('\0').filter(Boolean);

describe('repos are what git would have made', () => {
  it('object ids equal git hash-object, at every size', async () => {
    const sizes = [0, 1, 100, 65_535, 65_536, 65_537, 1_000_000];
    const contents = [...sizes.map((size) => randomBytes(size)), Buffer.from('plain\n')];
    for (const [index, content] of contents.entries()) writeFileSync(join(git.dir, `f${index}`), content);
    const ids = git.run(['hash-object', '--stdin-paths'], contents.map((_, i) => `f${i}\n`).join(''));
    const ours = await Promise.all(contents.map((content) => encodeObject(KIND.blob, content)));
    expect(ours.map((object) => object.oid)).toEqual(ids.trim().split('\n'));
    for (const [index, object] of ours.entries()) expect(await decodeObject(object)).toEqual(contents[index]);
  });

  it('any tree survives parse and encode byte for byte, whatever bytes its names are', () => {
    const bytes = fc
      .uint8Array({ minLength: 1, maxLength: 8 })
      .map((name) => Buffer.from(name.map((byte) => (byte === 0 || byte === 0x2f ? 0xff : byte))));
    fc.assert(
      fc.property(fc.uniqueArray(bytes, { selector: (b) => b.toString('hex'), maxLength: 12 }), (names) => {
        names.sort(Buffer.compare);
        const content = Buffer.concat(
          names.flatMap((n) => [Buffer.from('100644 '), n, Buffer.from([0]), randomBytes(20)]),
        );
        expect(encodeTree(parseTree(content)).equals(content)).toBe(true);
      }),
    );
  });

  it('damaged rows are errors, never content', async () => {
    const object = await encodeObject(KIND.blob, Buffer.from('hello'));
    const other = await encodeObject(KIND.blob, Buffer.from('hellx'));
    await expect(decodeObject({ ...object, data: other.data })).rejects.toThrow(/damaged/);
    await expect(decodeObject({ ...object, sizeBytes: 4 })).rejects.toThrow();
    await expect(decodeObject({ ...object, data: object.data.subarray(0, 4) })).rejects.toThrow();
  });

  it('random commits: same trees as git write-tree, same refusals as git update-index, clean fsck --strict', async () => {
    const ctx = t.ctxFor(alice);
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }),
        async (commits) => {
          const repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: `r${round++}` });
          const start = await listTree(
            ctx,
            repo,
            (await resolveRevision(t.app.db, repo, 'main')).commitOid,
            '',
            { recursive: true, limit: 10 },
          );
          let files: Files = new Map(start.entries.map((entry) => [entry.path, entry.oid]));
          let count = 1;
          for (const [index, operations] of commits.entries()) {
            const before = await resolveRevision(t.app.db, repo, 'main');
            const next: Files = new Map(files);
            git.run(['read-tree', '--empty']);
            git.run(
              ['update-index', '--add', '-z', '--index-info'],
              [...next].map(([p, oid]) => `100644 ${oid}\t${p}\0`).join(''),
            );
            const refusal = operations
              .map((op) => () => applyToIndex(next, op))
              .reduce<string | null>((code, run) => code ?? run(), null);
            const outcome = await createCommit(ctx, repo, {
              revision: 'main',
              header: header(`commit ${index}`),
              operations,
            }).catch((error: unknown) => {
              if (isHubError(error)) return error;
              throw error;
            });
            const after = await resolveRevision(t.app.db, repo, 'main');
            if (isHubError(outcome)) {
              expect([outcome.code, operations]).toEqual([refusal, operations]);
              expect(after).toEqual(before);
              continue;
            }
            expect(refusal).toBe(null);
            files = next;
            expect(await readRoot(t.app.db, repo.id, after.commitOid)).toBe(
              git.run(['write-tree', '--missing-ok']).trim(),
            );
            expect(outcome.changed).toBe(after.commitOid !== before.commitOid);
            if (outcome.changed) count++;
          }
          const copy = await exportRepo(t.app.db, repo.id);
          try {
            expect(copy.run(['fsck', '--strict', '--full', '--no-dangling'])).toBe('');
            expect(copy.run(['rev-list', '--count', 'main']).trim()).toBe(String(count));
            const head = await resolveRevision(t.app.db, repo, 'main');
            const { entries } = await listTree(ctx, repo, head.commitOid, '', {
              recursive: true,
              limit: 1000,
            });
            const lines = fields(copy.run(['ls-tree', '-r', '-t', '-z', '--full-tree', 'main']));
            expect(
              entries.map(
                (e) =>
                  `${e.mode.toString(8).padStart(6, '0')} ${e.type === 'file' ? 'blob' : 'tree'} ${e.oid}\t${e.path}`,
              ),
            ).toEqual(lines);
            expect(new Map(entries.filter((e) => e.type === 'file').map((e) => [e.path, e.oid]))).toEqual(
              new Map([...files].sort()),
            );
          } finally {
            copy.remove();
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('10,000 files in one commit, and 1,000 changes on top, are right and fsck clean', async () => {
    const ctx = t.ctxFor(alice);
    const repo = await createRepo(ctx, { type: 'dataset', namespace: 'alice', name: 'many' });
    const at = (i: number) => `d${i % 100}/f${i}.txt`;
    const write = (count: number, salt: string) =>
      Array.from({ length: count }, (_, i) => ({
        kind: 'file' as const,
        path: at(i),
        content: Buffer.from(`${i} ${salt}`),
      }));
    await createCommit(ctx, repo, {
      revision: 'main',
      header: header('all'),
      operations: write(10_000, 'one'),
    });
    const second = await createCommit(ctx, repo, {
      revision: 'main',
      header: header('some'),
      operations: write(1_000, 'two'),
    });
    let after: string | undefined;
    let seen = 0;
    do {
      const page = await listTree(ctx, repo, second.commitOid, '', {
        recursive: true,
        limit: 1000,
        ...(after === undefined ? {} : { after }),
      });
      seen += page.entries.length;
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toBe(10_000 + 100 + 1);
    const copy = await exportRepo(t.app.db, repo.id);
    expect(copy.run(['fsck', '--strict', '--full', '--no-dangling'])).toBe('');
    expect(copy.run(['show', 'main:d7/f7.txt'])).toBe('7 two');
    expect(copy.run(['show', 'main:d7/f9907.txt'])).toBe('9907 one');
    copy.remove();
  });
});
