import { expect, test } from 'vitest';
import { bytesOf } from '#lib/base/ids.ts';
import { encodeCommit, encodeTag } from '../git/commit.ts';
import { type EncodedObject, encodeObject, KIND } from '../git/objects.ts';
import { encodeTree, MODE } from '../git/tree.ts';
import { ReachCheck } from './reach-check.ts';

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

async function checkOver(objects: readonly EncodedObject[]): Promise<ReachCheck> {
  const check = new ReachCheck();
  const rows = objects.map((object) => ({ ...object, oid: bytesOf(object.oid) }));
  async function* batches() {
    yield rows.slice(0, 3);
    yield rows.slice(3);
  }
  const passed = [];
  for await (const batch of check.watch(batches())) passed.push(...batch);
  expect(passed).toEqual(rows);
  return check;
}

const all = [blob, folder, root, first, second, tag];

test('a repo whose refs reach everything is known to hold nothing else', async () => {
  expect(await (await checkOver(all)).isAllReachable([tag.oid])).toBe(true);
  expect(await (await checkOver(all)).isAllReachable([first.oid, tag.oid, second.oid])).toBe(true);
});

test('a blob, a commit or a tag that no ref reaches is seen, also when a submodule has its name', async () => {
  expect(await (await checkOver([...all, stray])).isAllReachable([tag.oid])).toBe(false);
  expect(await (await checkOver(all)).isAllReachable([second.oid])).toBe(false);
  expect(await (await checkOver(all)).isAllReachable([first.oid])).toBe(false);
  expect(await (await checkOver([blob])).isAllReachable([])).toBe(false);
});

test('of a history too long to walk here nothing is said', async () => {
  const many: EncodedObject[] = [];
  for (let n = 0, last: EncodedObject[] = []; n <= 2000; n++) {
    last = [await commitOn(last)];
    many.push(...last);
  }
  const head = many.at(-1) as EncodedObject;
  expect(await (await checkOver([blob, folder, root, ...many])).isAllReachable([head.oid])).toBe(false);
});
