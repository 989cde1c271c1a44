import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANONYMOUS, type Principal, SYSTEM, type UserPrincipal } from '#lib/identity/principal.ts';
import { requireRead, visibleRepos } from '#lib/repos/access.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { preupload } from '#lib/repos/preupload.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import type { Repo, Visibility } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { file, header, makeOrg, makeUser } from './people.ts';
import { countTraces } from './traces.ts';

let t: TestApp;
let people: Record<string, Principal>;
let founder: UserPrincipal;
beforeAll(async () => {
  t = await createTestApp();
  const { db } = t.app;
  const org = await makeOrg(db, 'acme', true);
  founder = org.as(await makeUser(db, 'founder'), 'admin');
  people = {
    anonymous: ANONYMOUS,
    stranger: await makeUser(db, 'stranger'),
    siteAdmin: { ...(await makeUser(db, 'root')), isAdmin: true },
    reader: org.as(await makeUser(db, 'reader'), 'read'),
    contributor: org.as(await makeUser(db, 'contributor'), 'contributor'),
    writer: org.as(await makeUser(db, 'writer'), 'write'),
    admin: org.as(await makeUser(db, 'chief'), 'admin'),
    adminWithReadToken: org.as(await makeUser(db, 'careful', 'read'), 'admin'),
  };
});
afterAll(() => t.close());

let serial = 0;
const newRepo = (visibility: Visibility, by: Principal = founder): Promise<Repo> =>
  createRepo(t.ctxFor(by), { type: 'model', namespace: 'acme', name: `r${serial++}`, visibility });

/** What each use case needs, as the error code it answers with (null: it works). */
const USE_CASES: Record<
  string,
  { needs: 'read' | 'write'; run(by: Principal, repo: Repo): Promise<unknown> }
> = {
  requireRead: { needs: 'read', run: (by, repo) => requireRead(t.ctxFor(by), repo) },
  resolveFile: { needs: 'read', run: (by, repo) => resolveFile(t.ctxFor(by), repo, 'main/.gitattributes') },
  createCommit: {
    needs: 'write',
    run: (by, repo) =>
      createCommit(t.ctxFor(by), repo, {
        revision: 'main',
        header: header('x'),
        operations: [file('a', 'b')],
      }),
  },
  preupload: { needs: 'write', run: (by, repo) => preupload(t.ctxFor(by), repo, 'main', { files: [] }) },
  deleteRepo: { needs: 'write', run: (by, repo) => deleteRepo(t.ctxFor(by), repo) },
};

const READERS = ['reader', 'contributor', 'writer', 'admin', 'adminWithReadToken'];
const WRITERS = ['writer', 'admin'];

function expected(who: string, needs: 'read' | 'write', visibility: Visibility): string | null {
  if (visibility === 'private' && !READERS.includes(who)) return 'repo_not_found';
  if (needs === 'read' || WRITERS.includes(who)) return null;
  return who === 'anonymous' ? 'unauthenticated' : 'forbidden';
}

describe('who may do what', () => {
  for (const visibility of ['public', 'private'] as const)
    for (const [name, { needs, run }] of Object.entries(USE_CASES))
      it(`${name} on a ${visibility} repo: the policy, and no trace of who is refused`, async () => {
        for (const [who, principal] of Object.entries(people)) {
          const repo = await newRepo(visibility);
          const before = await countTraces(t.app.db);
          const code = await run(principal, repo).then(
            () => null,
            (error: { code?: string }) => error.code,
          );
          expect([who, code]).toEqual([who, expected(who, needs, visibility)]);
          if (code !== null) expect(await countTraces(t.app.db)).toEqual(before);
        }
      });

  it('a contributor may change what they created and nothing else', async () => {
    const own = await newRepo('private', people.contributor);
    expect(await USE_CASES.createCommit?.run(people.contributor as Principal, own)).toMatchObject({
      changed: true,
    });
  });

  it('a private repo and a missing one are told from each other by nothing in the error', async () => {
    const repo = await newRepo('private');
    const ask = (name: string) =>
      requireRead(t.ctxFor(people.stranger), { type: 'model', namespace: 'acme', name }).catch(
        (e: Error) => ({
          ...e,
          message: e.message,
        }),
      );
    expect(await ask(repo.name)).toEqual(await ask('never-was'));
  });

  it('the fragment for listings shows exactly what requireRead lets through', async () => {
    await newRepo('public');
    await newRepo('private');
    const gone = await newRepo('public');
    await deleteRepo(t.ctxFor(founder), gone);
    const { rows: all } = await t.app.db.query<{ name: string }>(
      'SELECT name FROM repo WHERE deleted_at IS NULL ORDER BY id',
    );
    for (const principal of [...Object.values(people), SYSTEM]) {
      const { sql, values } = visibleRepos(principal, 'x', 1);
      const listed = await t.app.db.query<{ name: string }>(
        `SELECT name FROM repo x WHERE ${sql} ORDER BY id`,
        values,
      );
      const readable: string[] = [];
      for (const { name } of all)
        await requireRead({ db: t.app.db, principal }, { type: 'model', namespace: 'acme', name }).then(
          () => readable.push(name),
          () => {},
        );
      expect(listed.rows.map((row) => row.name)).toEqual(readable);
    }
  });

  it('creating: in one’s own namespace and in organizations from contributor up; strangers learn nothing', async () => {
    const ask = (who: string, namespace: string) =>
      createRepo(t.ctxFor(people[who] ?? ANONYMOUS), { type: 'model', namespace, name: `n${serial++}` }).then(
        (repo) => repo.visibility,
        (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
      );
    const noRights = (namespace: string) =>
      `forbidden: You don't have the rights to create a model under the namespace "${namespace}"`;
    expect(await ask('stranger', 'stranger')).toBe('public');
    expect(await ask('contributor', 'ACME')).toBe('private'); // the organization's default
    expect(await ask('writer', 'acme')).toBe('private');
    expect(await ask('reader', 'acme')).toBe(noRights('acme'));
    expect(await ask('siteAdmin', 'acme')).toBe(noRights('acme'));
    expect(await ask('stranger', 'no-such')).toBe(noRights('no-such'));
    expect(await ask('stranger', 'a\0b')).toBe(noRights('a\0b'));
    expect(await ask('adminWithReadToken', 'acme')).toMatch(/^forbidden: .*write token/);
    expect(await ask('anonymous', 'acme')).toMatch(/^unauthenticated/);
  });
});
