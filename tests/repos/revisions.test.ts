import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, type Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { insertObjects } from '#lib/repos/git/db.ts';
import { encodeObject, KIND } from '#lib/repos/git/objects.ts';
import { listRefs } from '#lib/repos/list-refs.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import { resolveRevision } from '#lib/repos/resolve-revision.ts';
import { splitRevision } from '#lib/repos/split-revision.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { file, header, makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
let first: Oid;
let second: Oid;
let annotated: Oid;

async function setRef(name: string, oid: Oid): Promise<void> {
  await t.app.db.query('INSERT INTO ref (repo_id, name, oid) VALUES ($1, $2, $3)', [
    repo.id,
    name,
    bytesOf(oid),
  ]);
}

beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'r' });
  first = (await resolveRevision(t.app.db, repo, 'main')).commitOid;
  const operations = [
    file('a/b c/ü.txt', 'x'),
    file('x/f', 'y'),
    file('sub/to?/awful?filename%you:should,never.give', 'z'),
  ];
  second = (await createCommit(ctx, repo, { revision: 'main', header: header('2'), operations })).commitOid;
  const tag = Buffer.from(`object ${first}\ntype commit\ntag v2\ntagger A <a@b> 0 +0000\n\nx\n`);
  const tagObject = await encodeObject(KIND.tag, tag);
  await insertObjects(t.app.db, repo.id, [tagObject]);
  annotated = tagObject.oid;
  await setRef('refs/heads/feat/x', second);
  await setRef('refs/heads/deadbeef', first);
  await setRef('refs/tags/v1', first);
  await setRef('refs/tags/v2', annotated);
  await setRef('refs/tags/feat/x', first);
  await setRef('refs/pr/7', second);
  await setRef('refs/convert/parquet', first);
});
afterAll(() => t.close());

describe('a revision', () => {
  it('may be a branch, a tag, a full ref, an oid in any case, seven digits of it, HEAD or None', async () => {
    const cases: [string, Oid, string | null][] = [
      ['main', second, 'refs/heads/main'],
      ['HEAD', second, 'refs/heads/main'],
      ['None', second, 'refs/heads/main'],
      ['refs/heads/main', second, 'refs/heads/main'],
      ['v1', first, 'refs/tags/v1'],
      ['v2', first, 'refs/tags/v2'], // annotated: the commit, not the tag object
      [annotated, first, null],
      ['refs/tags/v1', first, 'refs/tags/v1'],
      ['feat/x', second, 'refs/heads/feat/x'], // a branch wins over a tag
      ['refs/pr/7', second, 'refs/pr/7'],
      ['refs/convert/parquet', first, 'refs/convert/parquet'],
      ['deadbeef', first, 'refs/heads/deadbeef'], // a name wins over digits
      [first, first, null],
      [first.toUpperCase(), first, null],
      [first.slice(0, 7), first, null],
      [first.slice(0, 39), first, null],
    ];
    for (const [revision, commitOid, ref] of cases)
      expect([revision, await resolveRevision(t.app.db, repo, revision)]).toEqual([
        revision,
        { commitOid, ref },
      ]);
  });

  it('that is nothing here is revision_not_found: never an error of ours', async () => {
    const tree = (
      await t.app.db.query<{ oid: string }>(
        `SELECT encode(oid, 'hex') AS oid FROM git_object WHERE repo_id = $1 AND kind = 2 LIMIT 1`,
        [repo.id],
      )
    ).rows[0]?.oid as string;
    const bad = [
      'nope',
      first.slice(0, 6),
      '0'.repeat(40),
      tree,
      'refs/',
      'refs/heads/',
      'a\0b',
      '..',
      '\ud800',
      'x'.repeat(5000),
      '%',
      `${first}0`,
    ];
    for (const revision of bad)
      await expect(resolveRevision(t.app.db, repo, revision)).rejects.toMatchObject({
        code: 'revision_not_found',
        message: `Invalid rev id: ${revision}`,
      });
  });

  it('of another repo is not found here', async () => {
    const other = await createRepo(ctx, { type: 'dataset', namespace: 'alice', name: 'r' });
    for (const revision of [second, second.slice(0, 8)])
      await expect(resolveRevision(t.app.db, other, revision)).rejects.toMatchObject({
        code: 'revision_not_found',
      });
  });

  it('abbreviated so far that two commits fit means nothing', async () => {
    const ambiguous = Buffer.from(`${first.slice(0, 8)}${'0'.repeat(32)}`, 'hex');
    await t.app.db.query(
      `INSERT INTO commit_index SELECT repo_id, $2, tree_oid, parents, title, message, author_name, author_email, authored_at, user_id,
              committed_at, generation, reached FROM commit_index WHERE repo_id = $1 AND oid = $3`,
      [repo.id, ambiguous, bytesOf(first)],
    );
    await expect(resolveRevision(t.app.db, repo, first.slice(0, 8))).rejects.toMatchObject({
      code: 'revision_not_found',
    });
    expect(await resolveRevision(t.app.db, repo, first)).toMatchObject({ commitOid: first });
    await t.app.db.query('DELETE FROM commit_index WHERE repo_id = $1 AND oid = $2', [repo.id, ambiguous]);
  });
});

describe('the tail of a URL', () => {
  it('is split into revision and path by the rules of the Hub', async () => {
    const cases: [string, string, string, Oid][] = [
      ['main', 'main', '', second],
      ['main/', 'main', '', second],
      ['', '', '', second],
      ['main/a/b', 'main', 'a/b', second],
      ['main/a%2Fb%20c', 'main', 'a/b c', second],
      ['refs%2Fpr%2F7/a%2Fb', 'refs/pr/7', 'a/b', second],
      ['refs/pr/7/a/b', 'refs/pr/7', 'a/b', second],
      ['refs/convert/parquet/x', 'refs/convert/parquet', 'x', first],
      ['refs/heads/feat/x/f', 'refs/heads/feat/x', 'f', second],
      ['feat/x/f', 'feat/x', 'f', second],
      ['feat%2fx/f', 'feat/x', 'f', second],
      [`${first}/feat/x`, first, 'feat/x', first],
      [`${first.slice(0, 8)}/f`, first.slice(0, 8), 'f', first],
      ['v1/main/x', 'v1', 'main/x', first],
      [
        'main/sub/to%3F/awful%3Ffilename%25you%3Ashould%2Cnever.give',
        'main',
        'sub/to?/awful?filename%you:should,never.give',
        second,
      ],
    ];
    for (const [tail, name, path, commitOid] of cases)
      expect([tail, await splitRevision(t.app.db, repo, tail)]).toEqual([
        tail,
        { revision: { name, commitOid, ref: expect.toSatisfy(() => true) }, path },
      ]);
  });

  it('with a malformed escape is invalid_input, with an unknown revision revision_not_found', async () => {
    for (const tail of ['%zz/a', 'main/%', 'main/%c0%ae', 'main/%ff'])
      await expect(splitRevision(t.app.db, repo, tail)).rejects.toMatchObject({ code: 'invalid_input' });
    for (const tail of ['nope/a', 'feat/y/f', 'feat%2Fx%2Ff', 'refs/pr/8/x', 'refs/x', '%00/a'])
      await expect(splitRevision(t.app.db, repo, tail)).rejects.toMatchObject({ code: 'revision_not_found' });
  });
});

describe('a file', () => {
  it('is found by its exact path alone; everything else is entry_not_found with the commit', async () => {
    expect(await resolveFile(ctx, repo, 'main/a/b%20c/%C3%BC.txt')).toMatchObject({
      entry: { path: 'a/b c/ü.txt' },
    });
    expect(await resolveFile(ctx, repo, 'feat/x/x/f')).toMatchObject({
      entry: { path: 'x/f' },
      commitOid: second,
    });
    const nothing = [
      '',
      'a',
      'a/',
      '/x/f',
      'x//f',
      'x/f/',
      './x/f',
      'x/../x/f',
      '..%2F..%2Fetc%2Fpasswd',
      '%252e%252e/x',
      'x%2f',
      'x/f/g',
      '%00',
      'x/f%00',
      'X/F',
      '\\x',
      `${'d/'.repeat(2000)}f`,
    ];
    for (const path of nothing)
      await expect(resolveFile(ctx, repo, `main/${path}`)).rejects.toMatchObject({
        code: 'entry_not_found',
        message: 'Entry not found',
        details: { commitOid: second },
      });
  });

  it('asked for at an old commit is what it was then', async () => {
    await expect(resolveFile(ctx, repo, `${first}/x/f`)).rejects.toMatchObject({
      details: { commitOid: first },
    });
    expect(await resolveFile(ctx, repo, { revision: second, path: 'x/f' })).toMatchObject({
      commitOid: second,
      file: null,
    });
  });
});

it('refs are listed by kind, without their prefix, the default branch first', async () => {
  const named = (refs: { name: string }[]) => refs.map((ref) => ref.name);
  const refs = await listRefs(t.app.db, repo);
  expect(named(refs.branches)).toEqual(['main', 'deadbeef', 'feat/x']);
  expect(named(refs.tags)).toEqual(['feat/x', 'v1', 'v2']);
  expect(refs.converts).toEqual([{ name: 'parquet', ref: 'refs/convert/parquet', targetCommit: first }]);
  expect(refs.pullRequests).toEqual([{ name: 'refs/pr/7', ref: 'refs/pr/7', targetCommit: second }]);
});
