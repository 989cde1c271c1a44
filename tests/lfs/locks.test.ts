import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everything, type HostileHub, startHostileHub, type Who } from '#tests/security/hostile-hub.ts';

interface Lock {
  id: string;
  path: string;
  locked_at: string;
  owner: { name: string };
}
interface Reply {
  lock?: Lock;
  locks?: Lock[];
  ours?: Lock[];
  theirs?: Lock[];
  next_cursor?: string;
  message?: string;
}

let hub: HostileHub;

/** Alice administers acme, Bob writes there, Mia reads; acme/shared is private. */
beforeAll(async () => {
  hub = await startHostileHub({ LOG_LEVEL: 'silent' });
  const role = { method: 'PUT', body: { role: 'write' } };
  expect((await hub.ask('/api/organizations/acme/members/bob/role', role)).status).toBe(200);
  for (const name of ['shared', 'busy', 'paged', 'verified', 'named', 'hostile'])
    await create({ name, organization: 'acme', private: true });
  await create({ name: 'mine', private: true });
});
afterAll(() => hub?.close());

async function create(body: unknown): Promise<void> {
  const answer = await hub.ask('/api/repos/create', { body });
  if (answer.status !== 200) throw new Error(answer.text);
}

/** Calls the locking API of a repo as git-lfs does. */
async function call(repo: string, path: string, as: Who, body?: unknown) {
  const type = 'application/vnd.git-lfs+json';
  const { status, text, headers } = await hub.ask(`/${repo}.git/info/lfs/locks${path}`, {
    as,
    body,
    headers: { accept: type, ...(body !== undefined && { 'content-type': type }) },
  });
  return { status, text, reply: JSON.parse(text) as Reply, type: headers.get('content-type') };
}
const lock = (repo: string, path: string, as: Who = 'alice') => call(repo, '', as, { path });
async function locked(repo: string, path: string, as: Who = 'alice'): Promise<Lock> {
  const { status, reply, text } = await lock(repo, path, as);
  expect(status, text).toBe(201);
  return reply.lock as Lock;
}

describe('taking a lock', () => {
  test('gives it with owner and time, and it is listed to who may read', async () => {
    const taken = await locked('acme/shared', 'weights/a.bin');
    expect(taken).toMatchObject({ path: 'weights/a.bin', owner: { name: 'alice' } });
    expect(Math.abs(Date.parse(taken.locked_at) - Date.now())).toBeLessThan(60_000);
    const seen = await call('acme/shared', '', 'mia');
    expect(seen.type).toContain('application/vnd.git-lfs+json');
    expect(seen.reply).toEqual({ locks: [taken] });
  });

  test('of two who ask at once one gets it, the other 409 with the lock that stands, every time', async () => {
    for (let round = 0; round < 15; round++) {
      const path = `race/${round}`;
      const answers = await Promise.all([
        lock('acme/busy', path, 'alice'),
        lock('acme/busy', path, 'bob'),
        lock('acme/busy', path, 'alice'),
        lock('acme/busy', path, 'bob'),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
      const winner = answers.find(({ status }) => status === 201)?.reply.lock as Lock;
      for (const { status, reply } of answers) {
        expect(reply.lock).toEqual(winner);
        if (status === 409) expect(reply.message).toContain(`already locked by ${winner.owner.name}`);
      }
    }
  });

  test('is for who may write: a reader, a read token, a stranger and nobody get none', async () => {
    const before = await everything(hub.app);
    expect((await lock('acme/shared', 'x', 'mia')).status).toBe(403);
    expect((await lock('acme/shared', 'x', 'reader')).status).toBe(403);
    expect((await lock('alice/mine', 'x', 'bob')).status).toBe(404);
    expect((await lock('acme/shared', 'x', 'nobody')).status).toBe(401);
    expect((await call('acme/shared', '/verify', 'mia', {})).status).toBe(403);
    expect(await everything(hub.app)).toEqual(before);
  });
});

describe('listing', () => {
  test('by path and by id gives that lock or none', async () => {
    const [one] = [await locked('acme/named', 'a b/é.bin'), await locked('acme/named', 'other')];
    const by = async (query: string) => (await call('acme/named', `?${query}`, 'mia')).reply;
    expect(await by(`path=${encodeURIComponent('a b/é.bin')}`)).toEqual({ locks: [one] });
    expect(await by(`id=${one.id}`)).toEqual({ locks: [one] });
    expect(await by(`id=${one.id}&path=other`)).toEqual({ locks: [] });
    for (const query of ['path=none', 'path=a%00b', `id=${'0'.repeat(24)}`, 'id=x', "id='%20OR%201=1"])
      expect(await by(query), query).toEqual({ locks: [] });
  });

  test('goes page by page over every lock once, by list and by verify', async () => {
    for (let n = 0; n < 7; n++) await locked('acme/paged', `f${n}`, n % 2 ? 'alice' : 'bob');
    const pages = async (ask: (cursor: string | undefined) => Promise<Reply>) => {
      const found: Lock[][] = [];
      let cursor: string | undefined;
      do {
        const page = await ask(cursor);
        found.push([...(page.locks ?? []), ...(page.ours ?? []), ...(page.theirs ?? [])]);
        cursor = page.next_cursor;
      } while (cursor);
      return found;
    };
    const listed = await pages(
      async (at) => (await call('acme/paged', `?limit=3${at ? `&cursor=${at}` : ''}`, 'mia')).reply,
    );
    const verified = await pages(
      async (at) => (await call('acme/paged', '/verify', 'bob', { limit: 3, cursor: at ?? '' })).reply,
    );
    for (const found of [listed, verified]) {
      expect(found.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(
        found
          .flat()
          .map(({ path }) => path)
          .sort(),
      ).toEqual(['f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6']);
    }
  });

  test('whoever pushes is told which locks are theirs and which are of others', async () => {
    const [a, b] = [await locked('acme/verified', 'a'), await locked('acme/verified', 'b', 'bob')];
    const ref = { name: 'refs/heads/main' };
    expect((await call('acme/verified', '/verify', 'alice', { ref })).reply).toEqual({
      ours: [a],
      theirs: [b],
    });
    expect((await call('acme/verified', '/verify', 'bob', { ref })).reply).toEqual({
      ours: [b],
      theirs: [a],
    });
  });
});

describe('giving a lock back', () => {
  test('is for its owner; others who may write need force, who may not write cannot at all', async () => {
    const { id } = await locked('acme/shared', 'mine');
    const unlock = (as: Who, body: unknown = {}) => call('acme/shared', `/${id}/unlock`, as, body);
    const refused = await unlock('bob');
    expect(refused.status).toBe(403);
    expect(refused.reply.message).toMatch(/"mine" is locked by alice.*--force/);
    expect((await unlock('bob', { force: false })).status).toBe(403);
    for (const as of ['mia', 'reader'] as const) expect((await unlock(as, { force: true })).status).toBe(403);
    const forced = await unlock('bob', { force: true });
    expect([forced.status, forced.reply.lock?.path]).toEqual([200, 'mine']);
    expect((await unlock('alice')).status).toBe(404);
    const again = await locked('acme/shared', 'mine', 'bob');
    expect((await call('acme/shared', `/${again.id}/unlock`, 'bob', {})).status).toBe(200);
  });

  test('works in its own repo only', async () => {
    const { id } = await locked('acme/shared', 'here');
    expect((await call('alice/mine', `/${id}/unlock`, 'alice', { force: true })).status).toBe(404);
    expect((await call('acme/shared', `?id=${id}`, 'mia')).reply.locks).toHaveLength(1);
  });
});

test('to strangers and nobody the locks of a private repo are those of a missing one, byte for byte', async () => {
  const { id } = await locked('alice/mine', 'secret');
  for (const as of ['bob', 'nobody'] as const)
    for (const [path, body] of [
      ['', undefined],
      [`?id=${id}`, undefined],
      ['', { path: 'x' }],
      ['', 'not json'],
      ['/verify', {}],
      ['/verify', { limit: 'x' }],
      [`/${id}/unlock`, { force: true }],
      [`/${id}/unlock`, '{'],
    ] as const) {
      const shape = ({ status, text }: { status: number; text: string }) => [
        status,
        text.replace(/"request_id":"[^"]*"/, ''),
      ];
      const hidden = shape(await call('alice/mine', path, as, body));
      expect(hidden, `${as} ${path}`).toEqual(shape(await call('alice/none', path, as, body)));
      if (typeof body !== 'string' && !(body && 'limit' in body))
        expect(hidden[0]).toBe(as === 'bob' ? 404 : 401);
    }
});

describe('H135 what is no lock is refused by name, and changes nothing', () => {
  const paths = [
    '',
    '..',
    '../x',
    '/etc/passwd',
    'a//b',
    'a/',
    './a',
    '.git/config',
    'a\0b',
    '\ud800',
    'x'.repeat(1100),
  ];
  const bodies: unknown[] = [
    ...paths.map((path) => ({ path })),
    ...[{ not: '' }, ['a'], 7, null, true].map((path) => ({ path })),
    {},
    [],
    'null',
    '"text"',
    '{"path":',
    '\ufeff{"path":"a"}',
    `{"path":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
    '{"__proto__":{"path":"polluted"}}',
    { path: 'a', ref: 'main' },
    { path: 'a', ref: { name: 1 } },
  ];
  test.each(bodies.map((body) => [body]))('lock %.60j', async (body) => {
    const before = await everything(hub.app);
    const { status, reply } = await call('acme/hostile', '', 'alice', body);
    expect([400, 422]).toContain(status);
    expect(reply.message).toMatch(/\S/);
    expect(await everything(hub.app)).toEqual(before);
  });

  test.each([
    'x',
    '0',
    '-1',
    "'",
    `${'f'.repeat(23)}`,
    `${'F'.repeat(24)}`,
    '%00',
    '..%2f',
    'a'.repeat(5000),
  ])('unlock %.30s: there is no such lock', async (id) => {
    const { status } = await call('acme/hostile', `/${id}/unlock`, 'alice', { force: true });
    expect([400, 404]).toContain(status);
  });

  test.each([
    'cursor=x',
    'cursor=%00',
    `cursor=${"'".repeat(24)}`,
    'limit=1.5',
    'limit=1e99',
    'limit=-5',
    'limit=0',
    'limit=x',
    'limit=Infinity',
    'path=%ff',
    'refspec=%00',
  ])('list ?%s is answered or refused, never an error of ours', async (query) => {
    const { status } = await call('acme/hostile', `?${query}`, 'alice');
    expect(query.startsWith('cursor') ? [400] : [200, 400]).toContain(status);
  });

  test.each([
    { limit: 1.5 },
    { limit: '3' },
    { limit: 1e99 },
    { cursor: 7 },
    { cursor: 'x' },
    { ref: [] },
    [],
  ])('verify %j', async (body) => {
    expect((await call('acme/hostile', '/verify', 'alice', body)).status).toBe(400);
  });

  test.each([{ force: 'yes' }, { force: 1 }, { ref: 3 }])('unlock with %j', async (body) => {
    const { id } = await locked('acme/hostile', `kept ${JSON.stringify(body)}`);
    expect((await call('acme/hostile', `/${id}/unlock`, 'bob', body)).status).toBe(400);
    expect((await call('acme/hostile', `?id=${id}`, 'bob')).reply.locks).toHaveLength(1);
  });
});

test('a lock stays when its repo is renamed, under both addresses, and goes with the repo', async () => {
  await create({ name: 'before', organization: 'acme' });
  const kept = await locked('acme/before', 'kept');
  const move = { fromRepo: 'acme/before', toRepo: 'acme/after', type: 'model' };
  expect((await hub.ask('/api/repos/move', { body: move })).status).toBe(200);
  for (const repo of ['acme/after', 'acme/before']) {
    expect((await call(repo, '', 'mia')).reply).toEqual({ locks: [kept] });
    expect((await lock(repo, 'kept', 'bob')).status).toBe(409);
  }
  expect((await call('acme/before', `/${kept.id}/unlock`, 'alice', {})).status).toBe(200);
  await locked('acme/after', 'gone');
  const body = { name: 'after', organization: 'acme', type: 'model' };
  expect((await hub.ask('/api/repos/delete', { method: 'DELETE', body })).status).toBe(200);
  expect((await call('acme/after', '', 'alice')).status).toBe(404);
});
