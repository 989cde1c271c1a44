import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HfWire, seedRepos, startHfWire } from './hf-wire.ts';

let hub: HfWire;
let head: string;

beforeAll(async () => {
  hub = await startHfWire();
  head = await seedRepos(hub);
});

afterAll(() => hub?.close());

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
    const saved = await hub.ask('/alice/m/resolve/main/config.json?download=true');
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment/);
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
