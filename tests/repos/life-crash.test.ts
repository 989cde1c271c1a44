import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Oid, Sha256 } from '#lib/base/ids.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { file, giveFile, header, makeUser } from './people.ts';

let t: TestApp;
let alice: UserPrincipal;
let repo: Repo;
let sha256: Sha256;
let first: Oid;
beforeEach(async () => {
  t = await createTestApp();
  alice = await makeUser(t.app.db, 'alice');
  const ctx = t.ctxFor(alice);
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'r' });
  sha256 = await giveFile(t.app.db, repo.id, 100);
  const commit = (...operations: Parameters<typeof createCommit>[2]['operations'][]) =>
    createCommit(ctx, repo, {
      revision: 'main',
      header: header('c'),
      operations: operations.flat() as never,
    });
  first = (await commit([file('a', '1')])).commitOid;
  await commit([{ kind: 'lfsFile', path: 'big.bin', sha256, sizeBytes: 100 }]);
  await commit([file('a', '2')]);
});
afterEach(() => t.close());

async function once(what: string, failpoint?: string): Promise<{ done: boolean; hit: boolean; err: string }> {
  const env = {
    ...process.env,
    DATABASE_URL: t.databaseUrl,
    LARDER_DATA: t.dataDir,
    LOG_LEVEL: 'error',
    ...(failpoint ? { LARDER_FAILPOINTS: `${failpoint}=exit` } : {}),
  };
  const task = JSON.stringify({ principal: alice, repoId: repo.id, what, sha256, oid: first });
  const child = spawn(process.execPath, ['tests/repos/life-once.ts', task], { env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes) => (out += bytes));
  child.stderr.on('data', (bytes) => (err += bytes));
  await new Promise((resolve) => child.on('close', resolve));
  return { done: out.includes('done'), hit: err.includes(`failpoint ${failpoint} exit`), err };
}

/** What anybody can see of the repo: names, refs, reflog, edges, index. */
async function visible(): Promise<unknown> {
  const query = async (text: string) => (await t.app.db.query(text)).rows;
  return {
    repos: await query('SELECT id, name FROM repo ORDER BY id'),
    redirects: await query('SELECT name_key, repo_id FROM repo_redirect ORDER BY 1'),
    refs: await query(`SELECT repo_id, name, encode(oid, 'hex') AS oid FROM ref ORDER BY 1, 2`),
    reflog: await query('SELECT repo_id, name, reason FROM ref_update ORDER BY id'),
    edges: await query(`SELECT repo_id, encode(sha256, 'hex') AS sha FROM repo_file ORDER BY 1, 2`),
    audit: await query('SELECT action FROM audit_event ORDER BY id'),
    paths: await query('SELECT count(*) FROM path_change'),
  };
}
const problems = async () => {
  const found: string[] = [];
  for await (const problem of checkRepos(t.app, { repos: 0, objects: 0 })) found.push(String(problem));
  return found;
};

describe('a process killed while it changes a repo', () => {
  it.each([
    ['squash', 'commit.before-cas'],
    ['rewrite', 'rewrite.before-refs'],
    ['rewrite', 'rewrite.before-edges'],
    ['move', 'move.before-commit'],
    ['duplicate', 'duplicate.before-refs'],
    ['paths', 'paths.before-mark'],
  ])('%s, at %s: nothing of it is there, and trying again does it', async (what, point) => {
    const before = await visible();
    expect(await once(what, point)).toMatchObject({ done: false, hit: true });
    expect(await visible()).toEqual(before);
    expect(await once(what)).toMatchObject({ done: true, err: '' });
    expect(await visible()).not.toEqual(before);
    expect(await problems()).toEqual([]);
  });

  it.each([
    ['squash', 'squash.after-tx'],
    ['rewrite', 'rewrite.after-tx'],
    ['restore', 'restore.after-tx'],
  ])('%s, at %s: all of it is there', async (what, point) => {
    const before = await visible();
    expect(await once(what, point)).toMatchObject({ done: false, hit: true });
    const after = await visible();
    expect(after).not.toEqual(before);
    expect(await problems()).toEqual([]);
  });
});
