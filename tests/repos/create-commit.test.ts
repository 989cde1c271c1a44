import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { file, giveFile, header, makeUser } from './people.ts';

let t: TestApp;
beforeAll(async () => {
  t = await createTestApp();
});
afterAll(() => t.close());

it('creates, commits, lists and resolves', async () => {
  const ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
  const repo = await createRepo(ctx, { type: 'model', namespace: 'Alice', name: 'Bert', license: 'mit' });
  expect(repo).toMatchObject({ namespace: 'alice', name: 'Bert', visibility: 'public' });
  const sha256 = await giveFile(t.app.db, repo.id, 12345);
  const result = await createCommit(
    ctx,
    { type: 'model', namespace: 'alice', name: 'bert' },
    {
      revision: 'main',
      header: header('hello'),
      operations: [
        file('a/b.txt', 'hi'),
        { kind: 'lfsFile', path: 'my model.weird', sha256, sizeBytes: 12345 },
      ],
    },
  );
  expect(result.changed).toBe(true);
  const list = await listTree(ctx, repo, result.commitOid, '', { recursive: true, limit: 100 });
  expect(list.entries.map((e) => [e.path, e.sizeBytes])).toEqual([
    ['.gitattributes', expect.any(Number)],
    ['README.md', 21],
    ['a', 0],
    ['a/b.txt', 2],
    ['my model.weird', 12345],
  ]);
  const found = await resolveFile(ctx, repo, 'main/my%20model.weird');
  expect(found.file?.sizeBytes).toBe(12345);
  const attributes = await resolveFile(ctx, repo, 'main/.gitattributes');
  expect((await readBlob(t.app.db, repo.id, attributes.entry.oid)).toString()).toMatch(
    /my\[\[:space:\]\]model\.weird filter=lfs/,
  );
});
