import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { file, type HfWire, header, startHfWire } from './hf-wire.ts';

let hub: HfWire;
let head: string;

beforeAll(async () => {
  hub = await startHfWire();
  await hub.ask('/api/repos/create', { body: { name: 'm' } });
  await hub.ask('/api/repos/create', { body: { name: 'secret', visibility: 'private' } });
  await hub.ask('/api/repos/create', { body: { name: 'd', type: 'dataset' } });
  const made = await hub.commit('models/alice/m', [
    header('first'),
    file('README.md', '---\nlicense: mit\ntags: [tiny]\nlanguage: [en]\n---\n# M\n'),
    file('config.json', '{"model_type":"llama","architectures":["LlamaForCausalLM"]}'),
    file('sub/to?/awful?filename%you:should,never.give', 'awful'),
    file('sub/page.html', '<script>alert(1)</script>'),
    file('empty.txt', ''),
  ]);
  expect(made.status).toBe(200);
  head = ((await made.json()) as { commitOid: string }).commitOid;
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
    ['what the Hub has and we have not', '/api/models/alice/m/discussions', 'alice', 404, null],
    ['the same of a private repo', '/api/models/alice/secret/discussions', 'bob', 404, 'RepoNotFound'],
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

describe('info', () => {
  test('holds what clients read, with facts from card and files', async () => {
    const json = (await (await hub.ask('/api/models/alice/m')).json()) as Record<string, unknown>;
    expect(json).toMatchObject({
      id: 'alice/m',
      modelId: 'alice/m',
      author: 'alice',
      sha: head,
      private: false,
      gated: false,
      disabled: false,
      pipeline_tag: 'text-generation',
      library_name: 'transformers',
      cardData: { license: 'mit', tags: ['tiny'], language: ['en'] },
      config: { model_type: 'llama', architectures: ['LlamaForCausalLM'] },
      transformersInfo: { auto_model: 'AutoModelForCausalLM' },
    });
    expect(json.tags).toEqual(['transformers', 'llama', 'text-generation', 'tiny', 'en', 'license:mit']);
    expect(json.createdAt).toMatch(/Z$/);
    expect((json.siblings as { rfilename: string }[]).map((s) => s.rfilename)).toContain('sub/page.html');
  });

  test('by branch, HEAD, oid and short oid, with blobs', async () => {
    for (const rev of ['main', 'HEAD', head, head.slice(0, 8), 'refs%2Fheads%2Fmain', 'refs/heads/main']) {
      const answer = await hub.ask(`/api/models/alice/m/revision/${rev}?blobs=true&securityStatus=true`);
      const json = (await answer.json()) as { sha: string; siblings: { rfilename: string; size: number }[] };
      expect(json.sha).toBe(head);
      expect(json.siblings.find((s) => s.rfilename === 'empty.txt')).toMatchObject({ size: 0 });
    }
  });

  test('expand gives only what it names, in every spelling; an unknown name gets the list', async () => {
    for (const query of ['expand=likes&expand=sha', 'expand=likes,sha', 'expand%5B%5D=likes&expand[]=sha']) {
      const json = (await (await hub.ask(`/api/models/alice/m?${query}`)).json()) as object;
      expect(Object.keys(json).sort()).toEqual(['_id', 'id', 'likes', 'modelId', 'sha']);
    }
    const answer = await hub.ask('/api/models/alice/m?expand=nope');
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toBe(
      '"expand" must be one of [author, baseModels, cardData, childrenModelCount, config, createdAt, disabled, downloads, downloadsAllTime, evalResults, gated, gguf, inference, inferenceProviderMapping, lastModified, library_name, likes, mask_token, model-index, pipeline_tag, private, resourceGroup, safetensors, sha, siblings, spaces, tags, transformersInfo, trendingScore, usedStorage, widgetData]',
    );
    expect(
      ((await (await hub.ask('/api/datasets/alice/d?expand=nope')).json()) as { error: string }).error,
    ).toBe(
      '"expand" must be one of [author, cardData, citation, createdAt, description, disabled, downloads, downloadsAllTime, gated, lastModified, likes, mainSize, paperswithcode_id, private, resourceGroup, sha, siblings, tags, trendingScore, usedStorage]',
    );
  });

  test('names are found whatever their case', async () => {
    expect(await (await hub.ask('/api/models/ALICE/M')).json()).toMatchObject({ id: 'alice/m' });
  });
});

describe('tree and paths-info', () => {
  const paths = (entries: unknown) => (entries as { path: string }[]).map((entry) => entry.path);

  test('a recursive listing holds folders and files; a plain one only direct children', async () => {
    const flat = await (await hub.ask('/api/models/alice/m/tree/main')).json();
    expect(paths(flat).sort()).toEqual(['.gitattributes', 'README.md', 'config.json', 'empty.txt', 'sub']);
    const deep = await (await hub.ask('/api/models/alice/m/tree/main?recursive=true&expand=false')).json();
    expect(paths(deep)).toHaveLength(8);
    expect(deep).toContainEqual(expect.objectContaining({ type: 'directory', path: 'sub/to?', size: 0 }));
    const sub = await (await hub.ask('/api/models/alice/m/tree/main/sub%2Fto%3F')).json();
    expect(paths(sub)).toEqual(['sub/to?/awful?filename%you:should,never.give']);
  });

  test('expand adds the last commit, for folders too', async () => {
    const entries = await (await hub.ask('/api/models/alice/m/tree/main?expand=true')).json();
    for (const entry of entries as { path: string; lastCommit: { title: string; date: string } }[])
      expect(entry.lastCommit).toMatchObject({
        title: entry.path === '.gitattributes' ? 'initial commit' : 'first',
        date: expect.stringMatching(/Z$/),
      });
  });

  test('pages join to the whole, through absolute links that name the commit', async () => {
    const all: string[] = [];
    let next: string | undefined = '/api/models/alice/m/tree/main?recursive=true&limit=3';
    let pages = 0;
    while (next) {
      const answer = await hub.ask(next);
      all.push(...paths(await answer.json()));
      const link = answer.headers.get('link');
      const match = link ? /^<(https?:\/\/[^>]+)>; rel="next"$/.exec(link) : null;
      if (link) expect(match?.[1]).toContain(`/tree/${head}?`);
      next = match?.[1]?.slice(hub.url.length);
      pages++;
    }
    expect(pages).toBe(3);
    const whole = await (await hub.ask('/api/models/alice/m/tree/main?recursive=true')).json();
    expect(all).toEqual(paths(whole));
  });

  test.each(['limit=-1', 'limit=x', 'cursor=%00', 'cursor=bm90aGVyZQ'])('%s is refused', async (query) => {
    expect((await hub.ask(`/api/models/alice/m/tree/main?recursive=true&${query}`)).status).toBe(400);
  });

  test('paths-info takes a form and JSON, and leaves out what is missing', async () => {
    const form = await hub.ask('/api/models/alice/m/paths-info/main', {
      body: 'paths=README.md&paths=sub&paths=nope&expand=false',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(await form.json()).toMatchObject([
      { path: 'README.md', type: 'file' },
      { path: 'sub', type: 'directory' },
    ]);
    const json = await hub.ask(`/api/models/alice/m/paths-info/refs/heads/main`, {
      body: { paths: ['config.json'], expand: true },
    });
    expect(await json.json()).toMatchObject([{ path: 'config.json', lastCommit: { title: 'first' } }]);
    const one = await hub.ask('/api/models/alice/m/paths-info/main', {
      as: 'nobody',
      body: { paths: 'config.json' },
    });
    expect(await one.json()).toHaveLength(1);
    const bad = await hub.ask('/api/models/alice/m/paths-info/main', { body: { paths: [1] } });
    expect(bad.status).toBe(400);
  });
});

describe('files', () => {
  test('HEAD has the headers of GET, 200, and no body', async () => {
    const get = await hub.ask('/alice/m/resolve/main/README.md');
    const ahead = await hub.ask('/alice/m/resolve/main/README.md', { method: 'HEAD' });
    const strip = (answer: Response) => {
      const headers = Object.fromEntries(answer.headers);
      for (const own of ['x-request-id', 'date', 'connection', 'keep-alive']) delete headers[own];
      return headers;
    };
    expect(ahead.status).toBe(200);
    expect(strip(ahead)).toEqual(strip(get));
    expect(strip(get)).toMatchObject({
      'x-repo-commit': head,
      etag: expect.stringMatching(/^"[0-9a-f]{40}"$/),
      'content-length': String((await get.arrayBuffer()).byteLength),
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-type': 'text/plain; charset=utf-8',
    });
  });

  test('an awful file name is found under its encoded address', async () => {
    const answer = await hub.ask(
      '/alice/m/resolve/main/sub/to%3F/awful%3Ffilename%25you%3Ashould%2Cnever.give',
    );
    expect(await answer.text()).toBe('awful');
    expect(answer.headers.get('content-disposition')).toContain(
      "filename*=UTF-8''awful%3Ffilename%25you%3Ashould%2Cnever.give",
    );
  });

  test('what a browser would run is an attachment without a type', async () => {
    const answer = await hub.ask('/alice/m/resolve/main/sub/page.html');
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment/);
  });

  test('ranges: 206, 416 with the size, If-Range, If-None-Match, and an empty file is never 416', async () => {
    const path = '/alice/m/resolve/main/config.json';
    const whole = await (await hub.ask(path)).text();
    const etag = (await hub.ask(path)).headers.get('etag') ?? '';
    const part = await hub.ask(path, { headers: { range: 'bytes=2-5' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 2-5/${whole.length}`);
    expect(await part.text()).toBe(whole.slice(2, 6));
    const beyond = await hub.ask(path, { headers: { range: 'bytes=9999-' } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe(`bytes */${whole.length}`);
    const stale = await hub.ask(path, { headers: { range: 'bytes=2-5', 'if-range': '"old"' } });
    expect([stale.status, await stale.text()]).toEqual([200, whole]);
    const same = await hub.ask(path, { headers: { 'if-none-match': etag } });
    expect([same.status, await same.text()]).toEqual([304, '']);
    const empty = await hub.ask('/alice/m/resolve/main/empty.txt', { headers: { range: 'bytes=0-0' } });
    expect([empty.status, empty.headers.get('content-range')]).toEqual([200, 'bytes */0']);
  });

  test('raw gives the blob, HEAD too', async () => {
    const get = await hub.ask('/alice/m/raw/main/config.json');
    expect(await get.text()).toMatch(/LlamaForCausalLM/);
    expect((await hub.ask('/alice/m/raw/main/config.json', { method: 'HEAD' })).status).toBe(200);
    expect((await hub.ask('/datasets/alice/d/raw/main/.gitattributes')).status).toBe(200);
  });
});

describe('commit', () => {
  test('a broken line is refused by its number and nothing of the commit stays', async () => {
    const answer = await hub.commit('models/alice/m', [
      header(),
      file('new.txt', 'x'),
      '{"key":"file"',
      header(),
    ]);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toBe('line 3 is not valid JSON');
    expect((await hub.ask('/alice/m/resolve/main/new.txt')).status).toBe(404);
    const info = (await (await hub.ask('/api/models/alice/m')).json()) as { sha: string };
    expect(info.sha).toBe(head);
  });

  test('the refusal reaches a client that is still sending megabytes', async () => {
    const line = JSON.stringify(file('big.txt', 'x'.repeat(3_000_000)));
    const lines = [header(), 'not json', ...Array.from({ length: 10 }, () => line)];
    const answer = await hub.commit('models/alice/m', lines);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toMatch(/line 2/);
  });

  test.each([
    ['a path upwards', [file('../x', 'x')], 422, /\.\./],
    ['an absolute path', [file('/x', 'x')], 422, /x/],
    ['.git', [file('.git/config', 'x')], 422, /\.git/],
    ['no operation', [], 400, /Add a line with the key/],
    [
      'a missing file to delete',
      [{ key: 'deletedFile', value: { path: 'nope' } }],
      404,
      /does not exist|doesn't exist/,
    ],
    [
      'an unknown large file',
      [{ key: 'lfsFile', value: { path: 'm.bin', algo: 'sha256', oid: 'a'.repeat(64), size: 3 } }],
      422,
      /./,
    ],
    ['broken card metadata', [file('README.md', '---\nlicense: [\n---\n')], 400, /README\.md/],
  ])('%s is refused', async (_name, lines, status, message) => {
    const answer = await hub.commit('models/alice/m', [header(), ...lines]);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: string }).error).toMatch(message);
  });

  test('another parent is 412, a missing branch 404, create_pr is refused by name', async () => {
    const moved = await hub.commit('models/alice/m', [
      header('x', { parentCommit: '0'.repeat(40) }),
      file('x', 'x'),
    ]);
    expect(moved.status).toBe(412);
    const branch = await hub.ask('/api/models/alice/m/commit/nope', { body: JSON.stringify(header()) });
    expect(branch.headers.get('x-error-code')).toBe('RevisionNotFound');
    const pr = await hub.ask('/api/models/alice/m/commit/main?create_pr=1', {
      body: JSON.stringify(header()),
    });
    expect([pr.status, pr.headers.get('x-error-message')]).toEqual([
      400,
      expect.stringMatching(/no pull requests yet/),
    ]);
  });

  test('the answer is an address clients can parse; the same again makes no second commit', async () => {
    const lines = [header('twice'), file('twice.txt', 'x')];
    const first = (await (await hub.commit('datasets/alice/d', lines)).json()) as Record<string, string>;
    expect(first).toMatchObject({
      success: true,
      commitUrl: `${hub.url}/datasets/alice/d/commit/${first.commitOid}`,
      hookOutput: '',
    });
    const second = (await (await hub.commit('datasets/alice/d', lines)).json()) as Record<string, string>;
    expect(second.commitOid).toBe(first.commitOid);
  });

  test('the older JSON body works too', async () => {
    const answer = await hub.ask('/api/datasets/alice/d/commit/main', {
      body: { summary: 'json', files: [{ path: 'j.txt', content: 'j', encoding: 'utf-8' }] },
    });
    expect(answer.status).toBe(200);
    expect(await (await hub.ask('/datasets/alice/d/resolve/main/j.txt')).text()).toBe('j');
  });
});

describe('preupload', () => {
  test('tells per file how to send it, what is ignored and what is already there', async () => {
    const answer = await hub.ask('/api/models/alice/m/preupload/main', {
      body: {
        files: [
          { path: 'a.bin', sample: 'aGk=', size: 2 },
          { path: 'a.txt', sample: 'aGk=', size: 2 },
          { path: 'b.dat', sample: 'AAEC', size: 3 },
          { path: 'huge.txt', sample: 'aGk=', size: 11_000_000 },
          { path: 'config.json', sample: 'e30=', size: 2 },
          { path: 'x.log', sample: '', size: 2 },
        ],
        gitIgnore: '*.log\n',
      },
    });
    const { files, commitOid } = (await answer.json()) as {
      files: Record<string, unknown>[];
      commitOid: string;
    };
    expect(commitOid).toBe(head);
    expect(files.map((f) => [f.path, f.uploadMode, f.shouldIgnore])).toEqual([
      ['a.bin', 'lfs', false],
      ['a.txt', 'regular', false],
      ['b.dat', 'lfs', false],
      ['huge.txt', 'lfs', false],
      ['config.json', 'regular', false],
      ['x.log', 'regular', true],
    ]);
    expect(files[4]?.oid).toMatch(/^[0-9a-f]{40}$/);
  });

  test('a missing branch is RevisionNotFound, too many files are refused', async () => {
    const missing = await hub.ask('/api/models/alice/m/preupload/nope', { body: { files: [] } });
    expect(missing.headers.get('x-error-code')).toBe('RevisionNotFound');
    const files = Array.from({ length: 1001 }, (_, i) => ({ path: `f${i}`, size: 1, sample: '' }));
    expect((await hub.ask('/api/models/alice/m/preupload/main', { body: { files } })).status).toBe(400);
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
