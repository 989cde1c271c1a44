import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  everything,
  file,
  type HostileHub,
  header,
  sendRaw,
  startHostileHub,
  TOKENS,
} from './hostile-hub.ts';

let hub: HostileHub;
beforeAll(async () => {
  hub = await startHostileHub();
  await hub.createRepo('open');
  await hub.createRepo('secret', { private: true });
  await hub.commit('alice/open', [header, file('sub/a.txt', 'hello'), file('%2e%2e/odd', 'odd')]);
});
afterAll(() => hub.close());

/** Fetch and URL normalise `..` away; a client that wants to do harm does not. */
async function getRaw(path: string): Promise<{ status: number; text: string }> {
  const { text, statuses } = await sendRaw(
    hub.url,
    `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKENS.bob}\r\nConnection: close\r\n\r\n`,
  );
  return { status: statuses[0] ?? 0, text };
}

describe('reads: a path that is no path of the repo is no file, whatever its encoding', () => {
  const odd = [
    '../secret/resolve/main/.gitattributes',
    'sub/../../../etc/passwd',
    'sub/../sub/a.txt',
    './sub/a.txt',
    'sub/./a.txt',
    'sub//a.txt',
    '/sub/a.txt',
    'sub/a.txt/',
    '',
    '%2e%2e%2fsub%2fa.txt',
    '%252e%252e/x',
    '..%5c..%5cetc%5cpasswd',
    '%c0%ae%c0%ae/x',
    '%e0%80%ae/x',
    '%ed%a0%80',
    '%f8%a1%a1%a1%a1',
    '%00',
    'sub/a.txt%00.png',
    '%zz',
    '%',
    '%u002e',
    'sub/a.txt;x',
    'sub/a.txt#x',
    `${'a/'.repeat(300)}x`,
    'a'.repeat(5_000),
    '%F0%9F%A4%97'.repeat(500),
  ];
  const doors = [
    '/alice/open/resolve/main/PATH',
    '/alice/open/raw/main/PATH',
    '/api/models/alice/open/tree/main/PATH',
    '/datasets/alice/open/resolve/main/PATH',
  ];
  test.each(doors)('%s', async (door) => {
    const root = door.includes('/tree/') ? new Set(['', '/']) : new Set<string>();
    for (const path of odd) {
      const { status, text } = await getRaw(door.replace('PATH', path));
      const isListing = root.has(path) && status === 200;
      if (!isListing) expect([400, 404], `${path}: ${text.slice(0, 300)}`).toContain(status);
      expect(text).not.toMatch(/root:|Internal error/);
      if (status === 404 && !isListing)
        expect(text).toMatch(/x-error-code: (?:EntryNotFound|RepoNotFound|RevisionNotFound)/i);
    }
  });

  test('is decoded exactly once: a name that holds an escape is found by its own escape only', async () => {
    expect((await hub.ask('/alice/open/resolve/main/%252e%252e/odd')).text).toBe('odd');
    expect((await getRaw('/alice/open/resolve/main/%2e%2e/odd')).status).toBe(404);
  });
});

describe('every part of an address, broken: 4xx in the protocol, never 500', () => {
  const evil = [
    '%zz',
    '%00',
    '%c0%ae',
    '..',
    '.',
    '%2e%2e',
    '%2f',
    '%5c',
    "'",
    '%22',
    '%',
    '%ff',
    'x%0d%0aset-cookie:a=b',
  ];
  const addresses = [
    '/api/models/EVIL/open',
    '/api/models/alice/EVIL',
    '/api/models/alice/open/revision/EVIL',
    '/api/models/alice/open/tree/EVIL/sub',
    '/api/models/alice/open/commits/EVIL',
    '/api/models/alice/open/xet-read-token/EVIL',
    '/EVIL/open/resolve/main/x',
    '/alice/EVIL/resolve/main/x',
    '/alice/open/resolve/EVIL/sub/a.txt',
    '/api/endpoints/EVIL/x',
    '/api/endpoints/alice/EVIL/events',
    '/api/organizations/EVIL/members',
    '/v1/models/EVIL',
    '/endpoints/EVIL/x/v1/models',
    '/api/lfs/objects/EVIL',
    '/xet/EVIL/v1/chunks/default/x',
    '/xet/1-1/v1/reconstructions/EVIL',
    '/xet/1-1/fetch/EVIL',
    '/EVIL',
  ];
  test.each(addresses)('%s', async (address) => {
    for (const bad of evil) {
      const { status, text } = await getRaw(address.replace('EVIL', bad));
      const isToken = address.includes('xet-read-token');
      if (!(isToken && status === 200))
        expect([400, 401, 403, 404, 405], `${bad}: ${text.slice(0, 400)}`).toContain(status);
      expect(text).not.toMatch(/^set-cookie/im);
    }
  });

  test('parts of an address in which a change is asked for', async () => {
    const before = await everything(hub.app);
    for (const bad of evil) {
      const asked: readonly [string, string, unknown][] = [
        [
          'POST',
          `/api/models/alice/open/commit/${bad}`,
          { summary: 's', files: [{ path: 'x', content: '' }] },
        ],
        ['POST', `/api/models/alice/open/preupload/${bad}`, { files: [] }],
        ['POST', `/api/models/alice/open/paths-info/${bad}`, { paths: ['x'] }],
        ['DELETE', `/api/settings/tokens/${bad}`, {}],
        ['PUT', `/api/organizations/acme/members/${bad}/role`, { role: 'read' }],
        ['POST', `/api/endpoints/alice/${bad}/stop`, {}],
        ['DELETE', `/api/endpoints/${bad}/x`, {}],
        ['PUT', `/api/lfs/objects/${bad}`, {}],
        ['POST', `/api/lfs/verify/${bad}`, {}],
      ];
      for (const [method, path, body] of asked) {
        const text = JSON.stringify(body);
        const answer = await sendRaw(
          hub.url,
          `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKENS.alice}\r\n` +
            `Content-Type: application/json\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
        );
        expect(answer.statuses[0], `${method} ${path}: ${answer.text}`).toBeGreaterThanOrEqual(400);
        expect(answer.statuses[0], `${method} ${path}: ${answer.text}`).toBeLessThan(500);
      }
    }
    expect(await everything(hub.app)).toEqual(before);
  });
});

describe('commits: names that some system would misread', () => {
  const names = [
    '../x',
    'a/../../x',
    '/x',
    'a//b',
    './a',
    'a/.',
    'a/',
    '',
    '..',
    '.',
    'a/..',
    '.git/config',
    '.GIT/config',
    '.git /x',
    'git~1/x',
    'GIT~1',
    '.git\u200c/x',
    '.git::$INDEX_ALLOCATION/x',
    '.git./x',
    'x/.git/y',
    '..\\x',
    'x\0y',
    '\ud800x',
    `${'a/'.repeat(300)}x`,
    'a'.repeat(1_000),
    `${'b'.repeat(200)}/`.repeat(30),
  ];
  test.each(names.map((name) => [name]))(
    '%.80j is refused by name, and nothing of the commit stays',
    async (name) => {
      const before = await everything(hub.app);
      const answer = await hub.commit('alice/open', [header, file('beside.txt'), file(name)]);
      expect([400, 422], answer.text).toContain(answer.status);
      expect(answer.message).toMatch(name === '' ? /"path"/ : /Invalid path in repo/);
      expect(answer.message?.length).toBeLessThan(500);
      expect(await everything(hub.app)).toEqual(before);
    },
  );

  test('control characters, marks of direction and escapes are stored as they are and split no header', async () => {
    const name = 'a\r\nset-cookie: a=b\u202e\u001b[31mx".txt';
    expect((await hub.commit('alice/open', [header, file(name, 'kept')])).status).toBe(200);
    const answer = await hub.ask(`/alice/open/resolve/main/${encodeURIComponent(name)}`);
    expect([answer.status, answer.text]).toEqual([200, 'kept']);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('content-disposition')).toMatch(/^[\x20-\x7e]+$/);
    const tree = await hub.ask('/api/models/alice/open/tree/main');
    expect((JSON.parse(tree.text) as { path: string }[]).map((e) => e.path)).toContain(name);
  });
});

describe('names of branches', () => {
  const bad = [
    '-upload-pack=touch x',
    '--output=/x',
    'a..b',
    'a.lock',
    '@{',
    '@',
    'a b',
    'x~1',
    'x^',
    'x:y',
    'x?',
    'x*',
    'x[',
    '/x',
    'x/',
    'x//y',
    '.x',
    'x/.y',
    'x.',
    'refs/heads/refs/heads/x',
    'f'.repeat(40),
    'HEAD',
    '',
    '\u0000',
    'x\u007f',
    '\\',
    'b'.repeat(300),
  ];
  test('that git or a shell would misread: no such branch comes to be by a commit', async () => {
    const before = await everything(hub.app);
    for (const name of bad.filter((n) => n !== '' && n !== 'HEAD')) {
      const answer = await hub.ask(`/api/models/alice/open/commit/${encodeURIComponent(name)}`, {
        body: { summary: 's', files: [{ path: 'x', content: 'x' }] },
      });
      expect([400, 404], `${name}: ${answer.text}`).toContain(answer.status);
    }
    expect(await everything(hub.app)).toEqual(before);
  });

  test('nor is one made by asking for it', async () => {
    const before = await everything(hub.app);
    for (const name of bad) {
      const answer = await hub.ask(`/api/models/alice/open/branch/${encodeURIComponent(name)}`, { body: {} });
      expect([400, 404, 405, 409, 422], `${name}: ${answer.text}`).toContain(answer.status);
      expect(answer.message).toBeTruthy();
    }
    for (const broken of ['%zz', '%e0%a4', '%']) {
      const answer = await sendRaw(
        hub.url,
        `POST /api/models/alice/open/branch/${broken} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKENS.alice}\r\n` +
          'Content-Length: 2\r\nConnection: close\r\n\r\n{}',
      );
      expect([400, 404], broken).toContain(answer.statuses[0]);
    }
    for (const startingPoint of ['nope', '../x', '\u0000', { not: '' }, 7]) {
      const answer = await hub.ask('/api/models/alice/open/branch/fine', { body: { startingPoint } });
      expect([400, 404], JSON.stringify(startingPoint)).toContain(answer.status);
    }
    expect(await everything(hub.app)).toEqual(before);
  });

  test('a branch and one below it asked for at once: one comes to be, and the other is told why', async () => {
    await hub.createRepo('races');
    for (let round = 0; round < 5; round++) {
      const [above, below] = await Promise.all(
        [`b${round}`, `b${round}%2Fx`].map((name) =>
          hub.ask(`/api/models/alice/races/branch/${name}`, { body: {} }),
        ),
      );
      const statuses = [above?.status, below?.status].sort();
      expect(statuses[0], `${above?.text} ${below?.text}`).toBe(200);
      expect([400, 409]).toContain(statuses[1]);
      const { rows } = await hub.app.db.query('SELECT 1 FROM ref WHERE name LIKE $1', [
        `refs/heads/b${round}%`,
      ]);
      expect(rows).toHaveLength(1);
    }
  });

  test('a stranger and a read token make and delete none', async () => {
    const before = await everything(hub.app);
    for (const [as, repo, status] of [
      ['bob', 'open', 403],
      ['reader', 'open', 403],
      ['bob', 'secret', 404],
      ['nobody', 'secret', 401],
    ] as const)
      for (const method of ['POST', 'DELETE']) {
        const answer = await hub.ask(`/api/models/alice/${repo}/branch/main`, { as, method, body: {} });
        expect(answer.status, `${as} ${method} ${repo}: ${answer.text}`).toBe(status);
      }
    expect(await everything(hub.app)).toEqual(before);
  });
});

describe('names of repos', () => {
  const bad = [
    '.',
    '..',
    '-x',
    'x-',
    '.x',
    'x.',
    'x.git',
    'x.GIT',
    'x.lock',
    'con',
    'NUL',
    'aux.bin',
    'a--b',
    'a..b',
    'a b',
    'a/b',
    'a\\b',
    'a%2fb',
    'ä',
    '🤗',
    'а',
    'a\u200bb',
    '',
    'x'.repeat(97),
    'x'.repeat(10_000),
    'a\nb',
    'a\0b',
    '<script>',
    "';--",
  ];
  test.each(bad.map((name) => [name]))('%.60j is refused and says why', async (name) => {
    const before = await everything(hub.app);
    const answer = await hub.ask('/api/repos/create', { body: { name } });
    expect(answer.status, answer.text).toBe(400);
    expect(answer.message).toMatch(/name/);
    expect(await everything(hub.app)).toEqual(before);
  });

  test('a bad organization in the body is told like one that is not ours', async () => {
    for (const organization of ['..', 'ACME\0', "' OR 1=1", 'x'.repeat(5_000), 'bob', 'nobody-here']) {
      const answer = await hub.ask('/api/repos/create', { body: { name: 'fine', organization } });
      expect(answer.status, answer.text).toBe(403);
    }
  });
});
