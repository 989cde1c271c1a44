import { expect, test } from 'vitest';
import { encodeCommit, encodeTag } from '../git/commit.ts';
import { type EncodedObject, encodeObject, KIND } from '../git/objects.ts';
import { encodeTree, MODE } from '../git/tree.ts';
import { reachableObjects } from './reach-check.ts';

const by = { name: 'a', email: 'a@example.org', atSeconds: 1 };
const blob = await encodeObject(KIND.blob, Buffer.from('seen\n'));
const stray = await encodeObject(KIND.blob, Buffer.from('of a refused push\n'));
const folder = await encodeObject(
  KIND.tree,
  encodeTree([
    { mode: MODE.file, name: 'a file', oid: blob.oid },
    { mode: MODE.submodule, name: 'other', oid: stray.oid },
  ]),
);
const root = await encodeObject(
  KIND.tree,
  encodeTree([{ mode: MODE.directory, name: 'folder', oid: folder.oid }]),
);
const commitOn = (parents: EncodedObject[]) =>
  encodeObject(
    KIND.commit,
    encodeCommit({
      tree: root.oid,
      parents: parents.map(({ oid }) => oid),
      author: by,
      committer: by,
      message: `${parents.length}`,
    }),
  );
const first = await commitOn([]);
const second = await commitOn([first]);
const tag = await encodeObject(
  KIND.tag,
  encodeTag({ object: second.oid, name: 'v1', tagger: by, message: 'one' }),
);

const reached = async (linked: readonly EncodedObject[], tips: readonly EncodedObject[]) => {
  const keys = await reachableObjects(
    linked,
    tips.map(({ oid }) => oid),
  );
  return keys && [...keys].map((key) => Buffer.from(key, 'latin1').toString('hex')).toSorted();
};
const oids = (...objects: EncodedObject[]) => objects.map(({ oid }) => oid).toSorted();

const linked = [folder, root, first, second, tag];

test('of a repo whose refs reach all commits, trees and tags: those and the blobs, but for what a submodule names', async () => {
  expect(await reached(linked, [tag])).toEqual(oids(...linked, blob));
  expect(await reached(linked, [first, tag, second])).toEqual(oids(...linked, blob));
  const tagged = await encodeObject(
    KIND.tag,
    encodeTag({ object: stray.oid, name: 'b', tagger: by, message: 'a blob' }),
  );
  expect(await reached([...linked, tagged], [tag, tagged])).toEqual(oids(...linked, tagged, blob, stray));
  expect(await reached([], [])).toEqual([]);
});

test('a commit or a tag that no ref reaches is seen', async () => {
  expect(await reached(linked, [second])).toBeNull();
  expect(await reached(linked, [first])).toBeNull();
  expect(await reached(linked, [])).toBeNull();
});

test('what is missing is named too', async () => {
  expect(await reached([root, first], [first])).toEqual(oids(root, first, folder));
});
