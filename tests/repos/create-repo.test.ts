import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo, type NewRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import { resolveRevision } from '#lib/repos/resolve-revision.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { exportRepo } from './git-binary.ts';
import { file, giveFile, header, makeUser } from './people.ts';
import { countTraces } from './traces.ts';

let t: TestApp;
let ctx: Ctx;
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'Alice'));
});
afterAll(() => t.close());

const create = (name: string, more: Partial<NewRepo> = {}) =>
  createRepo(ctx, { type: 'model', namespace: 'alice', name, ...more });
const paths = async (ref: Awaited<ReturnType<typeof create>>) => {
  const { commitOid } = await resolveRevision(t.app.db, ref, 'HEAD');
  const { entries } = await listTree(ctx, ref, commitOid, '', { recursive: true, limit: 100 });
  return entries.map((entry) => entry.path);
};

describe('a new repo', () => {
  it('holds one commit with .gitattributes alone, and git finds nothing wrong with it', async () => {
    const repo = await create('Fresh');
    expect(repo).toMatchObject({
      namespace: 'Alice',
      name: 'Fresh',
      visibility: 'public',
      defaultBranch: 'main',
    });
    expect(repo.publicId).toMatch(/^[0-9a-f]{24}$/);
    expect(await paths(repo)).toEqual(['.gitattributes']);
    const { commitOid } = await resolveRevision(t.app.db, repo, 'main');
    expect(await listCommits(t.app.db, repo, commitOid, { page: 0, limit: 50 })).toMatchObject({
      total: 1,
      commits: [{ title: 'initial commit', userName: 'Alice' }],
    });
    const git = await exportRepo(t.app.db, repo.id);
    expect(git.run(['fsck', '--strict', '--full'])).toBe('');
    git.remove();
  });

  it('with a licence has a README that names it, and holds further files given', async () => {
    const repo = await create('licensed', {
      license: 'apache-2.0',
      files: [{ path: 'src/a.py', content: Buffer.from('print()') }],
    });
    expect(await paths(repo)).toEqual(['.gitattributes', 'README.md', 'src', 'src/a.py']);
    const { entry } = await resolveFile(ctx, repo, 'main/README.md');
    expect(String(await readBlob(t.app.db, repo.id, entry.oid))).toBe('---\nlicense: apache-2.0\n---\n');
  });

  it('is found in any case and answers with its own spelling; a dataset of the same name is another repo', async () => {
    await create('CaMeL');
    await create('CaMeL', { type: 'dataset' });
    const repo = await requireRead(ctx, { type: 'model', namespace: 'ALICE', name: 'camel' });
    expect([repo.namespace, repo.name, repo.type]).toEqual(['Alice', 'CaMeL', 'model']);
  });

  it('asked for 50 times at once is made once; everyone else hears that it exists', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => create(i % 2 ? 'race' : 'RACE')),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({
          code: 'conflict_exists',
          message: 'You already created this model repo',
        });
    const { rows } = await t.app.db.query(
      `SELECT action FROM audit_event WHERE lower(subject) = 'model:alice/race'`,
    );
    expect(rows).toEqual([{ action: 'repo.create' }]);
  });

  it.each([
    '',
    '.',
    '..',
    '-x',
    'x-',
    'x.git',
    'x.lock',
    'a--b',
    'a..b',
    'con',
    'a/b',
    'ü',
    '🦙',
    'x'.repeat(97),
    'a\0b',
    'a b',
  ])('may not be called %j, and the refusal leaves no trace', async (name) => {
    const before = await countTraces(t.app.db);
    await expect(create(name)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(/^name /),
    });
    expect(await countTraces(t.app.db)).toEqual(before);
  });

  it('is refused whole when one of its files is', async () => {
    const before = await countTraces(t.app.db);
    const files = [{ path: '../x', content: Buffer.from('') }];
    await expect(create('bad-files', { files })).rejects.toMatchObject({ code: 'invalid_path' });
    await expect(create('bad-licence', { license: 'x\n---' })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    expect(await countTraces(t.app.db)).toEqual(before);
  });
});

describe('a deleted repo', () => {
  it('is not found by any name or oid, its name can be used again, and nothing of the old one is reachable there', async () => {
    const old = await create('phoenix');
    const sha256 = await giveFile(t.app.db, old.id, 9);
    const { commitOid } = await createCommit(ctx, old, {
      revision: 'main',
      header: header('secret'),
      operations: [file('secret', 's'), { kind: 'lfsFile', path: 'm.bin', sha256, sizeBytes: 9 }],
    });
    await deleteRepo(ctx, { ...old, name: 'PHOENIX' });
    await expect(resolveFile(ctx, old, `${commitOid}/secret`)).rejects.toMatchObject({
      code: 'repo_not_found',
    });
    await expect(deleteRepo(ctx, old)).rejects.toMatchObject({ code: 'repo_not_found' });
    const fresh = await create('phoenix');
    expect(fresh.id).not.toBe(old.id);
    expect(await paths(fresh)).toEqual(['.gitattributes']);
    await expect(resolveFile(ctx, fresh, `${commitOid}/secret`)).rejects.toMatchObject({
      code: 'revision_not_found',
    });
    const operations = [{ kind: 'lfsFile' as const, path: 'm.bin', sha256, sizeBytes: 9 }];
    await expect(
      createCommit(ctx, fresh, { revision: 'main', header: header('x'), operations }),
    ).rejects.toMatchObject({ code: 'invalid_object' });
  });

  it('deleted by many at once is deleted once', async () => {
    const repo = await create('doomed');
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => deleteRepo(ctx, repo)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    const { rows } = await t.app.db.query(
      `SELECT count(*) AS n FROM audit_event WHERE action = 'repo.delete' AND subject = 'model:Alice/doomed'`,
    );
    expect(rows).toEqual([{ n: 1 }]);
  });
});
