import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { type PreuploadRequest, preupload } from '#lib/repos/preupload.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { file, giveFile, header, makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
let sha256: Sha256;
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'r' });
  sha256 = await giveFile(t.app.db, repo.id, 7);
  await createCommit(ctx, repo, {
    revision: 'main',
    header: header('x'),
    operations: [
      file('readme.txt', 'hello\n'),
      file('.gitignore', '*.log\n!keep.log\nbuild/\n'),
      { kind: 'lfsFile', path: 'w/m.bin', sha256, sizeBytes: 7 },
    ],
  });
});
afterAll(() => t.close());

const ask = async (path: string, content: string | Buffer = 'text', more: Partial<PreuploadRequest> = {}) => {
  const sample = Buffer.from(content);
  const { files } = await preupload(ctx, repo, 'main', {
    files: [{ path, sizeBytes: sample.length, sample }],
    ...more,
  });
  return files[0];
};
const regular = { uploadMode: 'regular', shouldIgnore: false };
const lfs = { uploadMode: 'lfs', shouldIgnore: false };

it('asks for LFS by .gitattributes, by binary content and by size, else for a regular file', async () => {
  expect(await ask('a.txt')).toEqual({ path: 'a.txt', ...regular });
  expect(await ask('a.bin', '1234567')).toEqual({ path: 'a.bin', ...lfs });
  expect(await ask('deep/in/saved_model/x/y')).toMatchObject(regular); // the pattern is anchored at the root
  expect(await ask('saved_model/x/y')).toMatchObject(lfs);
  expect(await ask('nul.txt', 'a\0b')).toMatchObject(lfs);
  expect(await ask('latin1.txt', Buffer.from('caf\xe9 ol\xe9', 'latin1'))).toMatchObject(lfs);
  expect(await ask('cut.txt', Buffer.from('é').subarray(0, 1))).toMatchObject(regular);
  expect(await ask('empty.txt', '')).toMatchObject(regular);
  const sample = Buffer.from('text');
  const sized = (sizeBytes: number) =>
    preupload(ctx, repo, 'main', { files: [{ path: 'a', sizeBytes, sample }] });
  expect((await sized(10 * 1024 * 1024 - 1)).files[0]).toMatchObject(regular);
  expect((await sized(10 * 1024 * 1024)).files[0]).toMatchObject(lfs);
  expect(await ask('a.bin', 'x', { gitAttributes: '' })).toMatchObject(regular);
  expect(await ask('a.new', 'x', { gitAttributes: '*.new filter=lfs' })).toMatchObject(lfs);
});

it('says what .gitignore drops: the repo’s own, or the one posted', async () => {
  expect(await ask('x/a.log')).toMatchObject({ shouldIgnore: true });
  expect(await ask('x/keep.log')).toMatchObject({ shouldIgnore: false });
  expect(await ask('build/keep.log')).toMatchObject({ shouldIgnore: true });
  expect(await ask('a.log', 'x', { gitIgnore: '*.tmp' })).toMatchObject({ shouldIgnore: false });
});

it('names what is there: the git id of a regular file, the sha256 of a large one', async () => {
  const blob = createHash('sha1').update('blob 6\0hello\n').digest('hex');
  expect(await ask('readme.txt', 'hello\n')).toMatchObject({ ...regular, oid: blob });
  expect(await ask('w/m.bin')).toMatchObject({ ...lfs, oid: sha256 });
  expect(await ask('w')).not.toHaveProperty('oid');
});

it('does not name a large file whose bytes are gone, so that it is sent again', async () => {
  await t.app.db.query(`UPDATE stored_object SET state = 'deleting' WHERE sha256 = decode($1, 'hex')`, [
    sha256,
  ]);
  expect(await ask('w/m.bin')).not.toHaveProperty('oid');
  await t.app.db.query(`UPDATE stored_object SET state = 'live' WHERE sha256 = decode($1, 'hex')`, [sha256]);
});

it('refuses bad paths, too many files, and revisions that are not there', async () => {
  await expect(ask('../x')).rejects.toMatchObject({ code: 'invalid_path' });
  const files = Array.from({ length: 1001 }, (_, i) => ({
    path: `f${i}`,
    sizeBytes: 0,
    sample: Buffer.alloc(0),
  }));
  await expect(preupload(ctx, repo, 'main', { files })).rejects.toMatchObject({ code: 'invalid_input' });
  await expect(preupload(ctx, repo, 'nope', { files: [] })).rejects.toMatchObject({
    code: 'revision_not_found',
  });
});
