import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { file, type HfWire, header, seedRepos, startHfWire } from './hf-wire.ts';

let hub: HfWire;
let head: string;

beforeAll(async () => {
  hub = await startHfWire();
  head = await seedRepos(hub);
});

afterAll(() => hub?.close());

describe('errors', () => {
  const cases: [string, string, 'alice' | 'bob' | 'nobody', number, string | null][] = [
    ['a missing repo', '/api/models/alice/nothing', 'alice', 404, 'RepoNotFound'],
    ['a missing repo, anonymous', '/api/models/alice/nothing', 'nobody', 401, 'RepoNotFound'],
    ["another's private repo", '/api/models/alice/secret', 'bob', 404, 'RepoNotFound'],
    ['a private file, anonymous', '/alice/secret/resolve/main/.gitattributes', 'nobody', 401, 'RepoNotFound'],
    ["another's private tree", '/api/models/alice/secret/tree/main', 'bob', 404, 'RepoNotFound'],
    ['a bad revision', '/api/models/alice/m/revision/nope', 'alice', 404, 'RevisionNotFound'],
    ['a bad revision of a file', '/alice/m/resolve/nope/README.md', 'alice', 404, 'RevisionNotFound'],
    ['a missing file', '/alice/m/resolve/main/nope.txt', 'alice', 404, 'EntryNotFound'],
    ['a folder as file', '/alice/m/resolve/main/sub', 'alice', 404, 'EntryNotFound'],
    ['a missing folder', '/api/models/alice/m/tree/main/nope', 'alice', 404, 'EntryNotFound'],
    ['a path upwards', '/alice/m/resolve/main/sub%2F..%2FREADME.md', 'alice', 404, 'EntryNotFound'],
    ['a repo without namespace', '/api/models/gpt2', 'alice', 404, 'RepoNotFound'],
    ['a file without namespace', '/gpt2/resolve/main/config.json', 'alice', 404, 'RepoNotFound'],
    ['a space', '/api/spaces/alice/m', 'alice', 404, 'RepoNotFound'],
    ['a model asked for as dataset', '/api/datasets/alice/m', 'alice', 404, 'RepoNotFound'],
    ['what the Hub has and we have not', '/api/models/alice/m/user-access-report/x', 'alice', 404, null],
    [
      'the same of a private repo',
      '/api/models/alice/secret/user-access-report/x',
      'bob',
      404,
      'RepoNotFound',
    ],
    ['spaces', '/api/spaces', 'alice', 404, null],
    ['an unknown address', '/api/what/ever', 'alice', 404, null],
  ];
  test.each(cases)('%s: %s as %s is %i %s, in JSON', async (_name, path, as, status, code) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await hub.ask(path, { as, method });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('x-error-code')).toBe(code);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.headers.get('x-request-id')).toBeTruthy();
      const message = answer.headers.get('x-error-message');
      expect(message).toBeTruthy();
      if (method === 'GET') expect(((await answer.json()) as { error: string }).error).toBe(message);
    }
  });

  test('a missing and a private repo cannot be told apart', async () => {
    for (const as of ['bob', 'nobody'] as const) {
      const answers = await Promise.all(
        ['alice/secret', 'alice/nothing'].map(async (id) => {
          const answer = await hub.ask(`/api/models/${id}`, { as });
          const headers = Object.fromEntries(answer.headers);
          for (const own of ['x-request-id', 'date']) delete headers[own];
          return { status: answer.status, headers, body: await answer.text() };
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
    }
  });

  test('a missing file names the commit, so that clients remember it is not there', async () => {
    const answer = await hub.ask('/alice/m/resolve/main/nope.txt', { method: 'HEAD' });
    expect(answer.headers.get('x-repo-commit')).toBe(head);
  });

  test('a wrong token is 401 with the words that clients look for', async () => {
    const answer = await fetch(`${hub.url}/api/models/alice/m`, {
      headers: { authorization: `Bearer hf_${'x'.repeat(36)}` },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('x-error-message')).toBe('Invalid credentials in Authorization header');
  });

  test('a read token that writes is told to use a write token', async () => {
    for (const [path, body] of [
      ['/api/repos/create', { name: 'x' }],
      ['/api/models/alice/m/preupload/main', { files: [] }],
      ['/api/models/alice/m/commit/main', '{}'],
    ] as const) {
      const answer = await hub.ask(path, { as: 'reader', body });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('x-error-message')).toMatch(/you must use a write token/);
    }
  });

  test('who may read but not write is forbidden, who may not read finds nothing', async () => {
    const lines = [header(), file('x', 'x')];
    expect((await hub.commit('models/alice/m', lines, { as: 'bob' })).status).toBe(403);
    expect((await hub.commit('models/alice/secret', lines, { as: 'bob' })).status).toBe(404);
    expect((await hub.commit('models/alice/m', lines, { as: 'nobody' })).status).toBe(401);
  });
});

describe('whoami', () => {
  test('names the user, the token and the organizations with roles', async () => {
    const me = (await (await hub.ask('/api/whoami-v2')).json()) as Record<string, unknown>;
    expect(me).toMatchObject({
      type: 'user',
      name: 'alice',
      fullname: 'Alice',
      email: 'alice@example.com',
      orgs: [{ type: 'org', name: 'acme', roleInOrg: 'admin' }],
      auth: { type: 'access_token', accessToken: { displayName: 'laptop', role: 'write' } },
    });
    expect((await hub.ask('/api/whoami-v2', { as: 'nobody' })).status).toBe(401);
  });
});

describe('create and delete', () => {
  test('the answer carries an address under the host the client called', async () => {
    const answer = await hub.ask('/api/repos/create', { body: { name: 'fresh', organization: null } });
    expect(await answer.json()).toMatchObject({
      url: `${hub.url}/alice/fresh`,
      name: 'alice/fresh',
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
    const again = await hub.ask('/api/repos/create', { body: { name: 'Fresh' } });
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({
      error: expect.stringMatching(/already created/),
      url: `${hub.url}/alice/Fresh`,
    });
    const gone = await hub.ask('/api/repos/delete', { method: 'DELETE', body: { name: 'fresh' } });
    expect(gone.status).toBe(200);
    expect((await hub.ask('/api/models/alice/fresh')).status).toBe(404);
    const twice = await hub.ask('/api/repos/delete', { method: 'DELETE', body: { name: 'fresh' } });
    expect(twice.headers.get('x-error-code')).toBe('RepoNotFound');
  });

  test('with licence and files the first commit holds them', async () => {
    const answer = await hub.ask('/api/repos/create', {
      body: {
        name: 'licensed',
        license: 'mit',
        files: [{ path: 'a.txt', content: 'aGk=', encoding: 'base64' }],
      },
    });
    expect(answer.status).toBe(200);
    expect(await (await hub.ask('/alice/licensed/resolve/main/a.txt')).text()).toBe('hi');
    expect(await (await hub.ask('/alice/licensed/resolve/main/README.md')).text()).toMatch(/license: mit/);
  });

  test.each([
    ['a space', { name: 'x', type: 'space' }, 400, /no spaces/],
    ['a bad name', { name: '../x' }, 400, /name/],
    ['no name', {}, 400, /"name"/],
    ['an object as name', { name: { not: '' } }, 400, /"name"/],
    ["another's namespace", { name: 'x', organization: 'bob' }, 403, /don't have the rights/],
    ['an unknown namespace', { name: 'x', organization: 'nobody-here' }, 403, /don't have the rights/],
    ['protected', { name: 'x', visibility: 'protected' }, 400, /"visibility"/],
  ])('%s is refused', async (_name, body, status, message) => {
    const answer = await hub.ask('/api/repos/create', { body });
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: string }).error).toMatch(message);
  });
});

describe('the small ones', () => {
  test('validate-yaml answers JSON of one shape', async () => {
    const ask = async (content: string) => {
      const answer = await hub.ask('/api/validate-yaml', {
        as: 'nobody',
        body: { content, repoType: 'model' },
      });
      return [answer.status, await answer.json()];
    };
    expect(await ask('---\nlicense: mit\n---\n')).toEqual([200, { errors: [], warnings: [] }]);
    expect(await ask('# no metadata')).toMatchObject([
      200,
      { warnings: [{ message: expect.stringMatching(/empty or missing/) }] },
    ]);
    expect(await ask('---\na: [\n---\n')).toMatchObject([
      400,
      { errors: [{ message: expect.stringMatching(/line/) }] },
    ]);
  });

  test('refs and commits', async () => {
    expect(await (await hub.ask('/api/models/alice/m/refs')).json()).toEqual({
      branches: [{ name: 'main', ref: 'refs/heads/main', targetCommit: head }],
      converts: [],
      tags: [],
    });
    const answer = await hub.ask('/api/models/alice/m/commits/main?limit=1&expand%5B%5D=formatted');
    expect(answer.headers.get('x-total-count')).toBe('2');
    expect(answer.headers.get('link')).toMatch(/^<http.*p=1.*>; rel="next"$/);
    expect(await answer.json()).toMatchObject([
      { id: head, title: 'first', authors: [{ user: 'alice' }], formatted: { title: 'first' } },
    ]);
  });

  test('agent-harnesses, telemetry and auth-check', async () => {
    expect(await (await hub.ask('/api/agent-harnesses', { as: 'nobody' })).json()).toEqual({
      standardEnvVars: [],
      harnesses: {},
    });
    expect((await hub.ask('/api/telemetry/a/b', { method: 'HEAD' })).status).toBe(200);
    expect((await hub.ask('/api/models/alice/m/auth-check', { as: 'bob' })).status).toBe(200);
    expect((await hub.ask('/api/models/alice/m/auth-check/write', { as: 'bob' })).status).toBe(403);
    expect((await hub.ask('/api/models/alice/secret/auth-check', { as: 'bob' })).status).toBe(404);
  });
});
