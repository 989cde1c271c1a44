import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import type { Oid } from '#lib/base/ids.ts';
import { diffTrees } from '#lib/repos/diff-trees.ts';
import type { CachedTree } from '#lib/repos/git/oid-cache.ts';
import { EMPTY_TREE_OID, parseTree } from '#lib/repos/git/tree.ts';
import { Git } from './git-binary.ts';

const git = new Git();
afterAll(() => git.remove());

const path = fc
  .array(fc.constantFrom('a', 'b', 'a.b', 'ab', 'é'), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'));
const files = fc.dictionary(path, fc.constantFrom('x', 'y', 'z'), { maxKeys: 8 });

const blobs = new Map<string, string>();
const blobOf = (text: string) => {
  const known = blobs.get(text) ?? git.run(['hash-object', '-w', '--stdin'], text).trim();
  blobs.set(text, known);
  return known;
};

/** The root tree of these files; what would lie below another file's path is left out. */
function treeOf(content: Record<string, string>): Oid {
  const above = (name: string) =>
    name
      .split('/')
      .slice(0, -1)
      .map((_, i, all) => all.slice(0, i + 1).join('/'));
  const kept = Object.entries(content).filter(([name]) => !above(name).some((folder) => folder in content));
  git.run(['read-tree', '--empty']);
  const rows = kept.map(([name, text]) => `100644 ${blobOf(text)}\t${name}\0`);
  git.run(['update-index', '--add', '-z', '--index-info'], rows.join(''));
  return git.run(['write-tree']).trim() as Oid;
}

/** Reads from the git binary and counts how often it was asked. */
function createReader() {
  const reader = Object.assign(
    async (oids: readonly Oid[]) => {
      reader.reads += 1;
      return new Map(
        oids.map((oid): [Oid, CachedTree] => {
          const text = oid === EMPTY_TREE_OID ? '' : git.run(['ls-tree', '-z', oid]);
          const raw = text
            .split('\0')
            .filter(Boolean)
            .map((row) => {
              const [, mode, id, name] = /^(\d+) \w+ (\w+)\t(.*)$/s.exec(row) as unknown as string[];
              return Buffer.concat([
                Buffer.from(`${mode?.replace(/^0/, '')} ${name}\0`),
                Buffer.from(id ?? '', 'hex'),
              ]);
            });
          const lines = parseTree(Buffer.concat(raw));
          return [oid, { lines, byName: new Map(lines.map((line) => [line.name, line])) }];
        }),
      );
    },
    { reads: 0 },
  );
  return reader;
}

it('lists what git diff-tree lists, with one read per level of folders', async () => {
  await fc.assert(
    fc.asyncProperty(files, files, async (before, after) => {
      const [a, b] = [treeOf(before), treeOf(after)];
      const reader = createReader();
      const { changes, isComplete } = await diffTrees(reader, a, b);
      expect(isComplete).toBe(true);
      expect(reader.reads).toBeLessThanOrEqual(3);
      const said = git.run(['diff-tree', '-r', '-z', '--no-renames', a, b]).split('\0');
      const expected: string[] = [];
      for (let at = 0; at + 1 < said.length; at += 2) {
        const [, , old, now] = (said[at] as string).split(' ');
        expected.push(`${said[at + 1]} ${old} ${now}`);
      }
      const none = '0'.repeat(40);
      const got = changes.map((c) => `${c.path} ${c.before?.oid ?? none} ${c.after?.oid ?? none}`);
      // git names a file that becomes a folder apart from what is in the folder; so do we
      expect(got.sort()).toEqual(expected.sort());
    }),
    { numRuns: 60 },
  );
});

it('says when there was more than it may list', async () => {
  const root = treeOf({ a: 'x', b: 'y', 'c/d': 'z' });
  const all = await diffTrees(createReader(), null, root);
  expect(all.changes.map((change) => change.path)).toEqual(['a', 'b', 'c/d']);
  const some = await diffTrees(createReader(), null, root, { maxChanges: 1 });
  expect(some).toMatchObject({ isComplete: false, changes: [{ path: 'a' }] });
});
