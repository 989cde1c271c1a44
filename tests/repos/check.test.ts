import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { checkFiles } from '#lib/repos/check/check-files.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { file, giveFile, header, makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
let sha256: Sha256;

async function findings(): Promise<string[]> {
  const problems: string[] = [];
  for (const check of [checkRepos(t.app, { repos: 0, objects: 0 }), checkFiles(t.app)])
    for await (const problem of check) problems.push(String(problem));
  return problems;
}
const query = (text: string, ...values: unknown[]) => t.app.db.query(text, [repo.id, ...values]);

beforeEach(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'r' });
  sha256 = await giveFile(t.app.db, repo.id, 100);
  const { rows } = await query(
    'SELECT o.key FROM stored_object o JOIN repo_file e ON e.object_id = o.id WHERE e.repo_id = $1',
  );
  await t.app.store.put(rows[0]?.key, randomBytes(100), { sizeBytes: 100 });
  const operations = [
    file('a/b/c.txt', 'x'),
    { kind: 'lfsFile' as const, path: 'm.bin', sha256, sizeBytes: 100 },
  ];
  await createCommit(ctx, repo, { revision: 'main', header: header('1'), operations });
  await createCommit(ctx, repo, { revision: 'main', header: header('2'), operations: [file('a/d', 'y')] });
  return async () => t.close();
});

describe('check', () => {
  it('finds nothing wrong with a hub that has only been used, nor with a deleted repo', async () => {
    expect(await findings()).toEqual([]);
    await query(`DELETE FROM git_object WHERE repo_id = $1`);
    expect(await findings()).not.toEqual([]);
    await deleteRepo(ctx, repo);
    expect(await findings()).toEqual([]);
  });

  const damages: [string, (query_: typeof query) => Promise<unknown>, RegExp][] = [
    [
      'a missing blob',
      (q) => q(`DELETE FROM git_object WHERE repo_id = $1 AND kind = 3 AND size = 1`),
      /model:alice\/r: object .* is missing/,
    ],
    [
      'a missing tree of an old commit',
      (q) =>
        q(
          `DELETE FROM git_object WHERE repo_id = $1 AND oid = (SELECT tree_oid FROM commit_index WHERE repo_id = $1 ORDER BY authored_at, title DESC LIMIT 1)`,
        ),
      /is missing/,
    ],
    [
      'a flipped byte',
      (q) =>
        q(
          `UPDATE git_object SET data = set_byte(data, 5, get_byte(data, 5) # 1) WHERE repo_id = $1 AND kind = 2`,
        ),
      /object /,
    ],
    [
      'a wrong kind',
      (q) => q(`UPDATE git_object SET kind = 3 WHERE repo_id = $1 AND kind = 2`),
      /wrong kind/,
    ],
    [
      'a commit that is not indexed',
      (q) => q(`DELETE FROM commit_index WHERE repo_id = $1 AND title = '1'`),
      /commit index/,
    ],
    [
      'a pointer that its row denies',
      (q) => q(`UPDATE git_object SET lfs_sha256 = NULL, lfs_size = NULL WHERE repo_id = $1`),
      /disagree/,
    ],
    ['a large file without its edge', (q) => q('DELETE FROM repo_file WHERE repo_id = $1'), /does not hold/],
    [
      'an edge to an object of another size',
      (q) => q('UPDATE repo_file SET size_bytes = 99 WHERE repo_id = $1'),
      /holds 99[\s\S]*another size/,
    ],
    [
      'an object that is being deleted',
      (q) => q(`UPDATE stored_object SET state = 'deleting' WHERE $1 > 0`),
      /does not hold[\s\S]*deleting/,
    ],
    [
      'an object that is not in the store',
      (q) => q(`UPDATE stored_object SET key = 'blob/none' WHERE $1 > 0`),
      /missing in the store/,
    ],
    [
      'a ref that moved without a trace',
      (q) =>
        q(
          `UPDATE ref SET oid = (SELECT oid FROM commit_index WHERE repo_id = $1 AND title = '1') WHERE repo_id = $1`,
        ),
      /reflog ends at/,
    ],
    [
      'a reflog with a gap',
      (q) => q(`DELETE FROM ref_update WHERE repo_id = $1 AND reason = 'create'`),
      /a move begins at/,
    ],
    ['a missing default branch', (q) => q('DELETE FROM ref WHERE repo_id = $1'), /default branch is missing/],
  ];
  it.each(damages)('names %s', async (_, damage, problem) => {
    await damage(query);
    expect((await findings()).join('\n')).toMatch(problem);
  });

  it('as a program prints what it found and says so by its exit status', async () => {
    const run = () =>
      new Promise<{ code: number; stdout: string }>((resolve) => {
        const env = {
          ...process.env,
          DATABASE_URL: t.databaseUrl,
          LARDER_DATA: t.dataDir,
          LOG_LEVEL: 'error',
        };
        const child = execFile(process.execPath, ['workers/check.ts'], { env }, (_error, stdout) =>
          resolve({ code: child.exitCode ?? -1, stdout }),
        );
      });
    expect(await run()).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^clean: 1 repos, \d+ git objects\n$/),
    });
    await query('DELETE FROM ref WHERE repo_id = $1');
    expect(await run()).toEqual({
      code: 1,
      stdout: expect.stringMatching(/default branch is missing[\s\S]*problems/),
    });
  });
});
