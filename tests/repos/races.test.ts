import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDb, type Db } from '#lib/base/db.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { resolveRevision } from '#lib/repos/resolve-revision.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { exportRepo } from './git-binary.ts';
import { file, header, makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
const pools: Db[] = [];
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
  for (let i = 0; i < 3; i++)
    pools.push(createDb({ url: t.databaseUrl, maxConnections: 5, applicationName: 'larder test' }));
});
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await t.close();
});

async function filesOf(repo: Repo): Promise<string[]> {
  const { commitOid } = await resolveRevision(t.app.db, repo, 'main');
  const { entries } = await listTree(ctx, repo, commitOid, '', { recursive: true, limit: 1000 });
  return entries.map((entry) => entry.path).filter((path) => path !== '.gitattributes');
}

/** Every move of main begins where the one before ended, and the last ends where the branch is. */
async function expectOneChain(repo: Repo): Promise<number> {
  const { rows } = await t.app.db.query<{ old: string | null; new: string }>(
    `SELECT encode(old_oid, 'hex') AS old, encode(new_oid, 'hex') AS new FROM ref_update WHERE repo_id = $1 ORDER BY id`,
    [repo.id],
  );
  for (const [index, row] of rows.entries()) expect(row.old).toBe(rows[index - 1]?.new ?? null);
  expect(rows.at(-1)?.new).toBe((await resolveRevision(t.app.db, repo, 'main')).commitOid);
  return rows.length;
}

describe('commits to one branch at the same time', () => {
  it('20 in one process all land, none is lost, the reflog is one chain', async () => {
    const repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'one-process' });
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        createCommit(ctx, repo, {
          revision: 'main',
          header: header(`c${i}`),
          operations: [file(`f${i}`, `${i}`)],
        }),
      ),
    );
    expect((await filesOf(repo)).sort()).toEqual(Array.from({ length: 20 }, (_, i) => `f${i}`).sort());
    expect(await expectOneChain(repo)).toBe(21);
    const git = await exportRepo(t.app.db, repo.id);
    expect(git.run(['fsck', '--strict', '--full', '--no-dangling'])).toBe('');
    git.remove();
  });

  it('24 from several processes all land too', async () => {
    const repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'processes' });
    const acknowledged: string[] = [];
    await Promise.all(
      pools.flatMap((db, p) =>
        Array.from({ length: 8 }, async (_, i) => {
          const path = `p${p}-${i}`;
          const request = { revision: 'main', header: header(path), operations: [file(path, path)] };
          const result = await createCommit({ ...ctx, db }, repo, request).catch(
            (error: { code?: string }) => {
              expect(error.code).toBe('busy');
              return null;
            },
          );
          if (result) acknowledged.push(path);
        }),
      ),
    );
    expect((await filesOf(repo)).sort()).toEqual(acknowledged.sort());
    expect(await expectOneChain(repo)).toBe(25);
  });

  it('the same request five times, from several processes: one commit, and everyone is told its oid', async () => {
    const repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'retries' });
    const parentCommit = (await resolveRevision(t.app.db, repo, 'main')).commitOid;
    const request = { revision: 'main', header: header('same', parentCommit), operations: [file('x', 'x')] };
    const results = await Promise.all(
      [...pools, ...pools].map((db) => createCommit({ ...ctx, db }, repo, request)),
    );
    expect(new Set(results.map((result) => result.commitOid)).size).toBe(1);
    expect(results.filter((result) => result.changed)).toHaveLength(1);
    expect(await expectOneChain(repo)).toBe(2);
  });

  it('with the same parent named: one lands, the others are told that the branch moved', async () => {
    const repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'parents' });
    const parentCommit = (await resolveRevision(t.app.db, repo, 'main')).commitOid;
    const results = await Promise.allSettled(
      pools.map((db, i) =>
        createCommit({ ...ctx, db }, repo, {
          revision: 'main',
          header: header(`c${i}`, parentCommit),
          operations: [file(`f${i}`, '')],
        }),
      ),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.map((result) => result.reason.code)).toEqual(['ref_moved', 'ref_moved']);
    expect(await filesOf(repo)).toHaveLength(1);
  });
});
