import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listRepos, type RepoQuery, type RepoSort } from '#lib/catalog/list-repos.ts';
import { flushDownloads, recordDownload } from '#lib/catalog/record-download.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import type { Repo } from '#lib/repos/types.ts';
import { makeOrg, makeUser } from '../repos/people.ts';
import { createTestApp, type TestApp } from '../support/app.ts';

let testApp: TestApp;
let alice: Ctx;
let bob: Ctx;
let mia: Ctx;
let nobody: Ctx;
const repos: Repo[] = [];

beforeAll(async () => {
  testApp = await createTestApp();
  const { db } = testApp.app;
  const org = await makeOrg(db, 'Acme-Lab');
  const user = async (name: string): Promise<UserPrincipal> => makeUser(db, name);
  alice = testApp.ctxFor(org.as(await user('alice'), 'admin'));
  mia = testApp.ctxFor(org.as(await user('mia'), 'read'));
  bob = testApp.ctxFor(await user('bob'));
  nobody = testApp.ctxFor();
  for (let i = 0; i < 23; i++) {
    const visibility = i % 4 === 0 ? 'private' : 'public';
    const repo = await createRepo(alice, {
      type: 'model',
      namespace: 'acme-lab',
      name: `m_${i}%x`.replace('%', '-'),
      visibility,
    });
    repos.push(repo);
    // equal values, so that ties must be broken
    await db.query('UPDATE repo SET likes = $2, downloads = $3 WHERE id = $1', [repo.id, i % 3, i % 5]);
  }
  await createRepo(bob, { type: 'dataset', namespace: 'bob', name: 'm_data' });
  const gone = await createRepo(bob, { type: 'model', namespace: 'bob', name: 'm_gone' });
  await deleteRepo(bob, gone);
});

afterAll(() => testApp?.close());

async function allPages(
  ctx: Ctx,
  query: Omit<RepoQuery, 'limit' | 'type'>,
  limit: number,
): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listRepos(ctx, { type: 'model', limit, ...query, ...(cursor ? { cursor } : {}) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    names.push(...page.items.map(({ repo }) => `${repo.namespace}/${repo.name}`));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return names;
}

describe('pages', () => {
  const sorts: RepoSort[] = ['createdAt', 'lastModified', 'downloads', 'likes', 'trendingScore', 'id'];
  test.each(sorts.flatMap((sort) => (['ascending', 'descending'] as const).map((d) => [sort, d] as const)))(
    'by %s %s join to the whole, each repo once',
    async (sort, direction) => {
      const whole = await allPages(alice, { sort, direction }, 1000);
      expect(whole).toHaveLength(23);
      expect(new Set(whole).size).toBe(23);
      for (const limit of [1, 5, 23])
        expect(await allPages(alice, { sort, direction }, limit)).toEqual(whole);
    },
  );

  test('a cursor of another order, or one that is made up, is refused', async () => {
    const { nextCursor } = await listRepos(alice, { type: 'model', limit: 2, sort: 'likes' });
    for (const cursor of [nextCursor as string, 'AAAA', "' OR 1=1", '']) {
      const query = { type: 'model', limit: 2, sort: 'createdAt', cursor } as const;
      await expect(listRepos(alice, query)).rejects.toMatchObject({ code: 'invalid_input' });
    }
  });
});

describe('who sees what', () => {
  test('private repos are there for members alone; deleted ones for nobody; types do not mix', async () => {
    expect(await allPages(alice, {}, 7)).toHaveLength(23);
    expect(await allPages(mia, {}, 7)).toHaveLength(23);
    for (const ctx of [bob, nobody]) {
      const seen = await allPages(ctx, {}, 7);
      expect(seen).toHaveLength(17);
      expect(seen).not.toContain('Acme-Lab/m_0-x');
    }
    const data = await listRepos(nobody, { type: 'dataset', limit: 10 });
    expect(data.items.map(({ repo }) => repo.name)).toEqual(['m_data']);
  });
});

describe('search', () => {
  test('words are AND-ed over namespace and name, whatever their case', async () => {
    expect(await allPages(alice, { search: ['ACME m_1-'] }, 10)).toEqual(['Acme-Lab/m_1-x']);
    expect(await allPages(alice, { search: ['acme', 'lab/M_22'] }, 10)).toEqual(['Acme-Lab/m_22-x']);
    expect(await allPages(alice, { author: 'ACME-LAB', search: ['nothing'] }, 10)).toEqual([]);
  });

  test('pattern characters and quotes are letters like any other', async () => {
    expect(await allPages(alice, { search: ['%'] }, 10)).toEqual([]);
    expect(await allPages(alice, { search: ['m_1_x'] }, 10)).toEqual([]);
    expect(await allPages(alice, { search: ["' OR 1=1 --", '\\'] }, 10)).toEqual([]);
  });
});

test('downloads are counted once per client and repo, and written', async () => {
  const [first, second] = repos as [Repo, Repo];
  const before = async (repo: Repo) =>
    (await alice.db.query<{ downloads: number }>('SELECT downloads FROM repo WHERE id = $1', [repo.id]))
      .rows[0]?.downloads ?? 0;
  const start = [await before(first), await before(second)];
  for (let i = 0; i < 5; i++) {
    recordDownload(bob, first.id);
    recordDownload(nobody, first.id);
    recordDownload(bob, second.id);
  }
  await flushDownloads(alice.db);
  await flushDownloads(alice.db);
  expect([await before(first), await before(second)]).toEqual([(start[0] ?? 0) + 2, (start[1] ?? 0) + 1]);
  const { rows } = await alice.db.query('SELECT count FROM download_day WHERE repo_id = $1', [first.id]);
  expect(rows).toEqual([{ count: 2 }]);
});
