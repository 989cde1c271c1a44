import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { giveFile, header, makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'r' });
});
afterAll(() => t.close());

async function upload(sizeBytes: number, into = repo): Promise<Sha256> {
  const sha256 = await giveFile(t.app.db, into.id, sizeBytes);
  const operations = [{ kind: 'lfsFile' as const, path: 'm.bin', sha256, sizeBytes }];
  await createCommit(ctx, into, { revision: 'main', header: header(sha256), operations });
  return sha256;
}
const query = (text: string, ...values: unknown[]) => t.app.db.query(text, values);
/** Asked three times, so that whatever can be remembered is. */
async function resolve(as: Ctx = ctx) {
  let found = await resolveFile(as, repo, 'main/m.bin');
  for (let i = 0; i < 2; i++) found = await resolveFile(as, repo, 'main/m.bin');
  return found;
}

it('what is remembered never outlives a change: new content, lost bytes, lost edge, second source', async () => {
  const first = await upload(10);
  expect(await resolve()).toMatchObject({ file: { sha256: first, sizeBytes: 10, xet: null } });
  const second = await upload(20);
  expect(await resolve()).toMatchObject({
    file: { sha256: second, sizeBytes: 20 },
    entry: { sizeBytes: 20 },
  });

  await query(`UPDATE stored_object SET state = 'deleting' WHERE sha256 = decode($1, 'hex')`, second);
  expect(await resolve()).toMatchObject({ file: null, entry: { lfs: { sha256: second } } });
  await query(`UPDATE stored_object SET state = 'live' WHERE sha256 = decode($1, 'hex')`, second);
  expect((await resolve()).file?.objectKey).toMatch(/^blob\//);

  const { rows } = await query(
    `INSERT INTO xet_domain (namespace_id) VALUES ($1) RETURNING id`,
    repo.namespaceId,
  );
  const xet = await query(
    `INSERT INTO xet_file (domain_id, hash, size_bytes, terms, sha256, sha256_state)
     VALUES ($1, $2, 20, '', decode($3, 'hex'), 'verified') RETURNING id`,
    rows[0]?.id,
    Buffer.alloc(32, 7),
    second,
  );
  await query(
    `UPDATE repo_file SET xet_file_id = $1 WHERE sha256 = decode($2, 'hex')`,
    xet.rows[0]?.id,
    second,
  );
  expect((await resolve()).entry.xetHash).toBe('07'.repeat(32));
  await query(`UPDATE xet_file SET sha256_state = 'bad' WHERE id = $1`, xet.rows[0]?.id);
  expect((await resolve()).entry).not.toHaveProperty('xetHash');

  await query(`DELETE FROM repo_file WHERE sha256 = decode($1, 'hex')`, second);
  expect((await resolve()).file).toBe(null);
});

it('a repo made private, renamed or whose owner is renamed is so at once', async () => {
  const anonymous = t.ctxFor();
  expect((await resolve(anonymous)).repo.visibility).toBe('public');
  await query(`UPDATE repo SET visibility = 'private' WHERE id = $1`, repo.id);
  await expect(resolve(anonymous)).rejects.toMatchObject({ code: 'repo_not_found' });
  expect((await resolve()).repo.visibility).toBe('private');
  await query(`UPDATE repo SET visibility = 'public', name = 'R' WHERE id = $1`, repo.id);
  expect((await resolve(anonymous)).repo.name).toBe('R');
  await query(`UPDATE namespace SET name = 'Alice' WHERE id = $1`, repo.namespaceId);
  expect((await resolve(anonymous)).repo.namespace).toBe('Alice');
});

it('the same path in two repos is two files, and an edge of one is none of the other', async () => {
  const other = await createRepo(ctx, { type: 'dataset', namespace: 'alice', name: 'r' });
  const [mine, theirs] = [await upload(1), await upload(2, other)];
  for (let i = 0; i < 3; i++) {
    expect((await resolveFile(ctx, repo, 'main/m.bin')).file?.sha256).toBe(mine);
    expect((await resolveFile(ctx, other, 'main/m.bin')).file?.sha256).toBe(theirs);
  }
  await query('DELETE FROM repo_file WHERE repo_id = $1', other.id);
  expect((await resolveFile(ctx, other, 'main/m.bin')).file).toBe(null);
});
