import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { resolveRevision } from '#lib/repos/resolve-revision.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { file, header, makeUser } from './people.ts';
import { countTraces } from './traces.ts';

let t: TestApp;
let alice: UserPrincipal;
let repo: Repo;
beforeEach(async () => {
  t = await createTestApp();
  alice = await makeUser(t.app.db, 'alice');
  const ctx = t.ctxFor(alice);
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'r' });
  await createCommit(ctx, repo, { revision: 'main', header: header('1'), operations: [file('old', '')] });
});
afterEach(() => t.close());

/** Runs the commit in a process of its own; `failpoint` kills it there, or does what `action` says. */
async function commitOnce(
  failpoint?: string,
  action = 'exit',
): Promise<{ signal: string | null; out: string; hit: boolean }> {
  const env = {
    ...process.env,
    DATABASE_URL: t.databaseUrl,
    LARDER_DATA: t.dataDir,
    LOG_LEVEL: 'error',
    ...(failpoint ? { LARDER_FAILPOINTS: `${failpoint}=${action}` } : {}),
  };
  const child = spawn(process.execPath, ['tests/repos/commit-once.ts', JSON.stringify(alice)], { env });
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => (out += bytes));
  child.stderr.on('data', (bytes) => (err += bytes));
  const signal = await new Promise<string | null>((resolve) =>
    child.on('close', (_code, sig) => resolve(sig)),
  );
  return { signal, out, hit: err.includes(`failpoint ${failpoint} ${action}`) };
}
const head = async () => (await resolveRevision(t.app.db, repo, 'main')).commitOid;
const problems = async () => {
  const found: string[] = [];
  for await (const problem of checkRepos(t.app, { repos: 0, objects: 0 })) found.push(String(problem));
  return found;
};

describe('a process killed in the middle of a commit', () => {
  it('before the branch moves: nothing of it is there, the check is clean, the retry succeeds', async () => {
    const before = await countTraces(t.app.db);
    expect(await commitOnce('commit.before-cas')).toEqual({ signal: 'SIGKILL', out: '', hit: true });
    expect(await countTraces(t.app.db)).toEqual(before);
    expect(await problems()).toEqual([]);
    expect(JSON.parse((await commitOnce()).out)).toEqual({ commitOid: await head(), changed: true });
    expect(await problems()).toEqual([]);
  });

  it('after the transaction, before the answer: all of it is there, and the retry answers the same commit', async () => {
    const before = await head();
    expect(await commitOnce('commit.after-tx')).toEqual({ signal: 'SIGKILL', out: '', hit: true });
    const made = await head();
    expect(made).not.toBe(before);
    expect(await problems()).toEqual([]);
    const jobs = await t.app.db.query(`SELECT data FROM pgboss.job WHERE name = 'repo-pushed'`);
    expect(jobs.rows).toContainEqual({ data: { repoId: repo.id } });
    expect(JSON.parse((await commitOnce()).out)).toEqual({ commitOid: made, changed: false });
    expect(await head()).toBe(made);
  });

  it('when trees cannot be read: it fails, and never goes on as if the tree were empty', async () => {
    const before = await countTraces(t.app.db);
    expect(await commitOnce('commit.reading', 'throw')).toEqual({ signal: null, out: '', hit: true });
    expect(await countTraces(t.app.db)).toEqual(before);
    expect(JSON.parse((await commitOnce()).out)).toEqual({ commitOid: await head(), changed: true });
    expect(await problems()).toEqual([]);
  });
});
