import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everything, file, type HostileHub, header, startHostileHub } from './hostile-hub.ts';

let hub: HostileHub;
beforeAll(async () => {
  hub = await startHostileHub();
  for (const name of ['open', 'per%cent'.replace('%', '-'), 'under_score', 'plain'])
    await hub.createRepo(name);
  await hub.createRepo('secret', { private: true, as: 'bob' });
  await hub.commit('alice/open', [header, file('a.txt'), file('b.txt'), file('dir/c.txt')]);
});
afterAll(() => hub.close());

const json = { 'content-type': 'application/json' };
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Routes that take JSON, each with a body that would do something. */
const POSTS: readonly [method: string, path: string, good: Record<string, unknown>][] = [
  ['POST', '/api/repos/create', { name: 'never', type: 'model', license: 'mit', private: false }],
  ['DELETE', '/api/repos/delete', { name: 'open', type: 'model' }],
  ['POST', '/api/models/alice/open/commit/main', { summary: 's', files: [{ path: 'x', content: 'x' }] }],
  ['POST', '/api/models/alice/open/preupload/main', { files: [{ path: 'x', size: 1 }] }],
  ['POST', '/alice/open.git/info/lfs/objects/batch', { operation: 'upload', objects: [] }],
  ['POST', '/api/organizations', { name: 'neworg', fullname: 'New', defaultPrivate: false }],
  ['PUT', '/api/organizations/acme/members/bob/role', { role: 'read' }],
  ['POST', '/api/endpoints', { repo: { type: 'model', namespace: 'alice', name: 'open' } }],
  ['POST', '/api/signup', { username: 'newbie', password: 'correct horse battery' }],
  ['POST', '/v1/chat/completions', { model: 'alice/open', messages: [] }],
];

describe('JSON that is of another kind than asked is a 4xx that says so, and changes nothing', () => {
  test.each(POSTS)('%s %s', async (method, path, good) => {
    const wrong: unknown[] = [
      { not: '' },
      [],
      ['a'],
      7,
      true,
      null,
      { toString: 'x' },
      { $ne: null },
      { contains: '' },
    ];
    const bodies: (string | Uint8Array)[] = [
      '[]',
      '"text"',
      '7',
      'null',
      'NaN',
      '{"a":Infinity}',
      "{'name':'x'}",
      '{"name":"x",}',
      '{"name":"x"',
      `{"name":${nested(10_000)}}`,
      nested(200_000),
      `{${'"a":'.repeat(1)}${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
      Buffer.from(JSON.stringify(good), 'utf16le'),
      new Uint8Array([0xff, 0xfe, 0x00]),
    ];
    // Every key in turn takes every wrong kind; optional ones may be null.
    for (const key of Object.keys(good))
      for (const value of wrong)
        if (value !== null && typeof value !== typeof good[key])
          bodies.push(JSON.stringify({ ...good, [key]: value }));
    const before = await everything(hub.app);
    for (const body of bodies) {
      const answer = await hub.ask(path, { method, body, headers: json });
      const shown = `${Buffer.from(body).toString('utf8').slice(0, 120)} -> ${answer.status} ${answer.text.slice(0, 200)}`;
      expect(answer.status, shown).toBeGreaterThanOrEqual(400);
      expect(answer.status, shown).toBeLessThan(500);
      expect(answer.message, shown).toBeTruthy();
    }
    expect(await everything(hub.app)).toEqual(before);
  });

  test('__proto__, constructor and doubled keys change no object of the process', async () => {
    const evil =
      '{"__proto__":{"isAdmin":true,"polluted":1},"constructor":{"prototype":{"polluted":1}},"name":"..","name":".."}';
    for (const [method, path] of POSTS) await hub.ask(path, { method, body: evil, headers: json });
    await hub.commit('alice/open', [
      header,
      '{"key":"file","value":{"__proto__":{"path":"x","content":"x"}}}',
    ]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect((await hub.ask('/api/models/alice/open/tree/main')).text).not.toMatch(/"path":"x"/);
  });

  test('a byte-order mark is no JSON, and a body above its limit is 413 with the limit', async () => {
    const marked = await hub.ask('/api/repos/create', { body: '\ufeff{"name":"marked"}', headers: json });
    expect([400, 200]).toContain(marked.status);
    const big = await hub.ask('/api/organizations', {
      body: `{"name":"${'x'.repeat(20_000)}"}`,
      headers: json,
    });
    expect(big.status).toBe(413);
    expect(big.message).toMatch(/16384 bytes/);
  });
});

describe('searching and listing', () => {
  const ids = async (query: string) =>
    (JSON.parse((await hub.ask(`/api/models?${query}`, { as: 'mia' })).text) as { id: string }[]).map(
      (r) => r.id,
    );

  test('operators of SQL, LIKE, tsquery and regex are letters like any others', async () => {
    for (const search of [
      "' OR 1=1--",
      '%',
      '_%',
      '\\',
      ':*',
      '(',
      '.*',
      '[a-z]',
      '\0%',
      '"',
      '${x}',
      'x'.repeat(10_000),
    ])
      expect(
        (await ids(`search=${encodeURIComponent(search)}`)).filter((id) => !id.includes(search)),
        search,
      ).toEqual([]);
    expect(await ids('search=_')).toEqual(['alice/under_score']);
    expect(await ids('search=under_sc')).toEqual(['alice/under_score']);
  });

  test('an unknown sort, filter column or direction never reaches the database', async () => {
    for (const sort of ['visibility', 'id;drop table repo', '__proto__', 'constructor', 'r.id', 'toString']) {
      const answer = await hub.ask(`/api/models?sort=${encodeURIComponent(sort)}`);
      expect([answer.status, answer.message]).toEqual([400, expect.stringMatching(/"sort" must be one of/)]);
    }
    for (const query of [
      'visibility=private',
      'where[visibility]=private',
      'author[not]=x',
      'expand=passwordHash',
    ]) {
      const answer = await hub.ask(`/api/models?${query}`, { as: 'mia' });
      expect(answer.text).not.toMatch(/secret|argon2/);
      expect(answer.status).toBeLessThan(500);
    }
  });

  test('a cursor that was changed, of another sort or invented is refused or shows nothing that is hidden', async () => {
    const link = (await hub.ask('/api/models?limit=1&sort=createdAt')).headers.get('link') ?? '';
    const cursor = /cursor=([^&>]+)/.exec(link)?.[1] ?? '';
    expect(cursor).not.toBe('');
    const made = (text: string) => Buffer.from(text).toString('base64url');
    const forged = [
      `${cursor}x`,
      cursor.slice(1),
      made('createdAt.-1.1'),
      made('createdAt.999999999999999.1'),
      made('createdAt.1e5.1'),
      made("createdAt.0.1' OR 1=1"),
      made('likes.0.1'),
      made('createdAt.99999999999999999999.1'),
      '%00',
      '..',
      '{}',
      'A'.repeat(9_000),
    ];
    for (const bad of forged) {
      const answer = await hub.ask(`/api/models?limit=5&sort=createdAt&cursor=${bad}`, { as: 'mia' });
      expect([200, 400], `${bad}: ${answer.text}`).toContain(answer.status);
      expect(answer.text).not.toMatch(/secret/);
    }
    for (const bad of ['../../x', 'a.txt\0', 'dir', 'zzz', '\ud800'.toWellFormed()]) {
      const answer = await hub.ask(`/api/models/alice/open/tree/main?cursor=${made(bad)}`);
      expect([200, 400], bad).toContain(answer.status);
    }
  });

  test.each([
    '/api/models?limit=LIMIT',
    '/api/models?limit=LIMIT&full=true',
    '/api/models/alice/open/tree/main?recursive=true&limit=LIMIT',
    '/api/models/alice/open/tree/main?recursive=true&expand=true&limit=LIMIT',
    '/api/models/alice/open/commits/main?limit=LIMIT',
    '/api/models/alice/open/commits/main?p=LIMIT',
    '/api/organizations/acme/members?limit=LIMIT',
    '/api/models?num_parameters=min:LIMIT',
    '/api/models?num_parameters=min:1,max:LIMITT',
  ])('%s: any number is clamped or refused, never an error of ours', async (address) => {
    for (const limit of [
      '1000000000',
      '-1',
      '0',
      '1e9',
      '1.5',
      'NaN',
      '',
      '0x10',
      '9'.repeat(400),
      '999999999999999',
      '1 OR 1=1',
      '１',
    ]) {
      const answer = await hub.ask(address.replace('LIMIT', encodeURIComponent(limit)));
      expect([200, 400], `${limit}: ${answer.text.slice(0, 200)}`).toContain(answer.status);
      if (answer.status === 400) expect(answer.message).toMatch(/limit|"p"|num_parameters/);
    }
  });

  test('ten thousand paths at once are looked up, more are refused by name', async () => {
    const paths = (count: number) => ({ paths: Array.from({ length: count }, (_, i) => `dir/${i}`) });
    const most = await hub.ask('/api/models/alice/open/paths-info/main', { body: paths(10_000) });
    expect([most.status, most.text]).toEqual([200, '[]']);
    const more = await hub.ask('/api/models/alice/open/paths-info/main', { body: paths(10_001) });
    expect(more.status).toBe(400);
  });

  test('a batch of a thousand of the largest files is refused for its size instead of filling memory with links', async () => {
    const objects = Array.from({ length: 1_000 }, (_, i) => ({
      oid: i.toString(16).padStart(64, '0'),
      size: 5 * 2 ** 40,
    }));
    const before = await everything(hub.app);
    const answer = await hub.ask('/alice/open.git/info/lfs/objects/batch', {
      body: { operation: 'upload', transfers: ['multipart'], objects },
    });
    expect(answer.status).toBe(413);
    expect(answer.message).toMatch(/parts/);
    expect(await everything(hub.app)).toEqual(before);
  });
});

describe('the same fifty times at once', () => {
  test('create: one repo; everyone else hears that it exists, with its address', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => hub.ask('/api/repos/create', { body: { name: 'once' } })),
    );
    expect(answers.filter((a) => a.status === 200)).toHaveLength(1);
    for (const answer of answers.filter((a) => a.status !== 200)) {
      expect(answer.status).toBe(409);
      expect(JSON.parse(answer.text)).toMatchObject({
        error: /You already created/,
        url: expect.stringMatching(/\/alice\/once$/),
      });
    }
  });

  test('commit: one commit, and everyone is told its oid', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => hub.commit('alice/once', [header, file('same.txt', 'same')])),
    );
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]));
    expect(new Set(answers.map((a) => (JSON.parse(a.text) as { commitOid: string }).commitOid)).size).toBe(1);
    const log = JSON.parse((await hub.ask('/api/models/alice/once/commits/main')).text) as unknown[];
    expect(log).toHaveLength(2);
  });

  test('delete: once; the rest find nothing', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        hub.ask('/api/repos/delete', { method: 'DELETE', body: { name: 'once' } }),
      ),
    );
    expect(answers.filter((a) => a.status === 200)).toHaveLength(1);
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200, 404]));
  });
});

describe('cards', () => {
  const cards: readonly [string, string][] = [
    [
      'an alias bomb',
      `a: &a [x]\n${Array.from({ length: 9 }, (_, i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${Array.from({ length: 9 }, () => `*${'abcdefghi'[i]}`).join(',')}]`).join('\n')}`,
    ],
    ['a function', 'a: !!js/function "function(){ process.exit() }"'],
    ['a prototype', '__proto__:\n  polluted: 1\nconstructor: {prototype: {polluted: 1}}'],
    ['a key of a megabyte', `${'k'.repeat(900_000)}: 1`],
    ['dates and infinities', 'license: 2020-01-01\ntags: [.inf, .nan, 0x10, 1e999]\nlanguage: no'],
    ['keys twice', 'license: mit\nlicense: apache-2.0'],
    ['tabs', 'license:\n\tmit'],
    ['eighty thousand keys', Array.from({ length: 80_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['lists all the way down', `a: ${'['.repeat(5_000)}`],
    [
      'wrong kinds everywhere',
      'license: {a: 1}\ntags: 7\nlanguage: [[en]]\nbase_model: {x: y}\npipeline_tag: []\nlibrary_name: 3\ndatasets: {a: [1]}',
    ],
    ['NUL and lone surrogates', 'license: "a\\u0000b"\ntags: ["\\ud800"]'],
  ];
  test.each(cards)(
    '%s: refused with the reason or taken, and the repo is shown all the same',
    async (_what, yaml) => {
      const answer = await hub.commit('alice/plain', [
        header,
        file('README.md', `---\n${yaml}\n---\n# card\n`),
      ]);
      expect([200, 400], answer.text.slice(0, 300)).toContain(answer.status);
      if (answer.status === 400) expect(answer.message).toMatch(/metadata/i);
      // The same bytes may be there already, from before a rule was made stricter: reading must not trust them.
      const nested = await hub.commit('alice/plain', [header, file('docs/README.md', `---\n${yaml}\n---\n`)]);
      expect(nested.status).toBe(200);
      const info = await hub.ask('/api/models/alice/plain');
      expect([info.status, (JSON.parse(info.text) as { id: string }).id]).toEqual([200, 'alice/plain']);
      expect((await hub.ask('/api/models?full=true&cardData=true')).status).toBe(200);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    },
  );

  test('config.json and tokenizer_config.json of any content leave the repo readable', async () => {
    const contents = [
      '{',
      'null',
      '[]',
      '"x"',
      nested(100_000),
      '{"__proto__":{"polluted":1}}',
      '{"architectures":{"a":1},"model_type":[1]}',
      '{"a":"\\u0000\\ud800"}',
      `{"quantization_config":${nested(2_000)}}`,
    ];
    for (const content of contents) {
      const lines = ['config.json', 'tokenizer_config.json', 'model_index.json', 'adapter_config.json'].map(
        (name) => file(name, content),
      );
      expect((await hub.commit('alice/plain', [header, ...lines])).status).toBe(200);
      const info = await hub.ask(
        '/api/models/alice/plain?expand=config&expand=tags&expand=gguf&expand=safetensors',
      );
      expect(info.status, `${content.slice(0, 60)}: ${info.text}`).toBe(200);
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  }, 30_000);
});

describe('what a browser would run, served as it was uploaded', () => {
  const active = [
    'x.svg',
    'x.html',
    'x.HTM',
    'x.xhtml',
    'x.xml',
    'x.xsl',
    'x.pdf',
    'x.mhtml',
    'x.swf',
    'x.svgz',
    'x.shtml',
    'x.hta',
  ];
  const others = [
    'x',
    'x.js',
    'x.mjs',
    'x.css',
    'x.json',
    'x.png',
    'x.md',
    'x.ipynb',
    'x.wasm',
    'x.html.',
    'x.svg ',
    'x.unknown',
    'x.manifest',
    'x.csv',
  ];
  const evil =
    '<!DOCTYPE html><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>';

  test('is inert on every address: no type to run, sandboxed, never sniffed, and downloaded if it could act', async () => {
    await hub.createRepo('art');
    const committed = await hub.commit('alice/art', [
      header,
      ...[...active, ...others].map((name) => file(name, evil)),
    ]);
    expect(committed.status).toBe(200);
    for (const name of [...active, ...others])
      for (const door of ['resolve', 'raw']) {
        const { headers, status } = await hub.ask(`/alice/art/${door}/main/${encodeURIComponent(name)}`, {
          as: 'nobody',
        });
        expect(status).toBe(200);
        expect(headers.get('content-type'), name).not.toMatch(
          /html|svg|xml|javascript|pdf|css|shockwave|multipart/,
        );
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
        if (active.includes(name)) expect(headers.get('content-disposition'), name).toMatch(/^attachment/);
        expect(headers.get('set-cookie')).toBeNull();
        expect(headers.get('access-control-allow-credentials')).toBeNull();
      }
  });

  test('an error never repeats what the address held as markup', async () => {
    for (const path of [
      '/api/models/alice/<script>alert(1)</script>',
      '/alice/art/resolve/<script>/x',
      '/api/<svg onload=x>',
      '/alice/art/resolve/main/<img src=x>',
    ]) {
      const answer = await hub.ask(path);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});
