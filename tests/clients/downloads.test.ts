import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildXorb, contentOf, sha256Of } from '#tests/xet/build.ts';
import { type CasHub, startCasHub, TOKENS } from '#tests/xet/cas-hub.ts';

const run = promisify(execFile);
const AUTH = `Authorization: Bearer ${TOKENS.alice}`;
let nowMs = Math.ceil(Date.now() / 600_000) * 600_000;
let hub: CasHub;
let dir: string;
/** By name of the file: one stored as Xet, one whole, one in git. */
const contents = new Map<string, Buffer>();

async function putWhole(bytes: Buffer): Promise<void> {
  const objects = [{ oid: sha256Of(bytes), size: bytes.length }];
  const body = JSON.stringify({ operation: 'upload', transfers: ['basic'], objects });
  const answer = await hub.ask('/alice/model.git/info/lfs/objects/batch', TOKENS.alice, {
    method: 'POST',
    body,
  });
  const batch = (await answer.json()) as { objects: { actions: { upload: { href: string } } }[] };
  const href = batch.objects[0]?.actions.upload.href ?? '';
  expect((await fetch(href, { method: 'PUT', body: new Uint8Array(bytes) })).status).toBe(200);
}

async function commit(lines: unknown[]): Promise<void> {
  const all = [{ key: 'header', value: { summary: 'files' } }, ...lines];
  const answer = await hub.ask('/api/models/alice/model/commit/main', TOKENS.alice, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: all.map((line) => JSON.stringify(line)).join('\n'),
  });
  expect(answer.status, await answer.text()).toBe(200);
}

const large = (path: string, bytes: Buffer) => ({
  key: 'lfsFile',
  value: { path, algo: 'sha256', oid: sha256Of(bytes), size: bytes.length },
});
const small = (path: string, bytes: Buffer) => ({
  key: 'file',
  value: { path, content: bytes.toString('base64'), encoding: 'base64' },
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-downloads-'));
  const xorb = buildXorb(Array.from({ length: 120 }, () => randomBytes(70_000)));
  const terms = [
    { xorb, start: 0, end: 100 },
    { xorb, start: 20, end: 120 },
  ];
  const whole = randomBytes(9_000_000);
  hub = await startCasHub({ clock: { now: () => nowMs } });
  await hub.createRepo('alice', 'model', true);
  expect((await (await hub.cas('alice/model', TOKENS.alice)).upload(terms)).status).toBe(200);
  await putWhole(whole);
  contents.set('xet.bin', contentOf(terms)).set('whole.bin', whole).set('small.bin', randomBytes(300_000));
  await commit([
    large('xet.bin', contents.get('xet.bin') as Buffer),
    large('whole.bin', whole),
    small('small.bin', contents.get('small.bin') as Buffer),
  ]);
});
afterAll(async () => {
  await hub.close();
  await rm(dir, { recursive: true, force: true });
});

const urlOf = (name: string) => `${hub.url}/alice/model/resolve/main/${name}`;
const ask = (name: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(urlOf(name), { method, headers: { authorization: `Bearer ${TOKENS.alice}`, ...headers } });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

describe.each(['xet.bin', 'whole.bin', 'small.bin'])('%s', (name) => {
  const content = () => contents.get(name) as Buffer;
  /** Where a client stopped: the first part of the file. */
  const partial = async (tool: string) => {
    const path = join(dir, `${tool}-${name}`);
    await writeFile(path, content().subarray(0, Math.floor(content().length / 3)));
    return path;
  };
  const isWhole = async (path: string) => expect((await readFile(path)).equals(content())).toBe(true);

  test('curl -C - goes on where it stopped', async () => {
    const path = await partial('curl');
    const format = ['-w', '%{http_code} %{size_download}'];
    const { stdout } = await run('curl', ['-sL', '-C', '-', '-H', AUTH, ...format, '-o', path, urlOf(name)]);
    expect(stdout).toBe(`206 ${content().length - Math.floor(content().length / 3)}`);
    await isWhole(path);
  });

  test('wget -c goes on where it stopped, and has nothing to do when it has all', async () => {
    const path = await partial('wget');
    for (let i = 0; i < 2; i++)
      await run('wget', ['-qc', '--header', AUTH, '-O', path, urlOf(name)]).catch((error) => {
        if (i === 0) throw error; // 416 of a complete file is success to some versions and not to others
      });
    await isWhole(path);
  });

  test('aria2c with sixteen connections', async () => {
    const args = ['-x16', '-s16', '-k1M', '--min-split-size=1M', '--quiet', '--file-allocation=none'];
    await run('aria2c', [...args, `--header=${AUTH}`, '-d', dir, '-o', `aria-${name}`, urlOf(name)]);
    await isWhole(join(dir, `aria-${name}`));
  });

  test('twenty-four ranges at a time, of every kind, are the slices of the file', async () => {
    const size = content().length;
    const at = () => Math.floor(Math.random() * size);
    const ranges = Array.from({ length: 24 }, (_, i): [string, number, number] => {
      const [a, b] = [at(), at()].sort((x, y) => x - y) as [number, number];
      if (i % 3 === 0) return [`bytes=-${size - a}`, a, size - 1];
      if (i % 3 === 1) return [`bytes=${a}-`, a, size - 1];
      return [`bytes=${a}-${b}`, a, b];
    });
    await Promise.all(
      ranges.map(async ([range, start, end]) => {
        const answer = await ask(name, { range });
        expect([answer.status, answer.headers.get('content-range')]).toEqual([
          206,
          `bytes ${start}-${end}/${size}`,
        ]);
        expect((await bytesOf(answer)).equals(content().subarray(start, end + 1))).toBe(true);
      }),
    );
  });

  test('several ranges in one request are answered with the whole file', async () => {
    const answer = await ask(name, { range: 'bytes=0-9,20-29' });
    expect(answer.status).toBe(200);
    expect((await bytesOf(answer)).equals(content())).toBe(true);
  });

  test('If-Range resumes the same file only', async () => {
    const etag = (await ask(name, {}, 'HEAD')).headers.get('etag') ?? '';
    const range = `bytes=${content().length - 5}-`;
    for (const [tag, length] of [
      [etag, 5],
      [`W/${etag}`, content().length],
      ['"old"', content().length],
      [new Date().toUTCString(), content().length],
    ] as const)
      expect((await bytesOf(await ask(name, { range, 'if-range': tag }))).length).toBe(length);
  });

  test('If-None-Match: the tag, weak, in a list, and * are 304 without a body; another is the file', async () => {
    const etag = (await ask(name, {}, 'HEAD')).headers.get('etag') ?? '';
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await ask(name, { 'if-none-match': tag });
      expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await bytesOf(await ask(name, { 'if-none-match': '"x"' }))).length).toBe(content().length);
  });

  test('HEAD has the headers of GET; nothing is ever compressed', async () => {
    const encoding = { 'accept-encoding': 'gzip, br, zstd, deflate' };
    const [get, head] = [await ask(name, encoding), await ask(name, encoding, 'HEAD')];
    const skip = new Set(['date', 'x-request-id', 'keep-alive', 'connection']);
    const of = (answer: Response) => [...answer.headers].filter(([key]) => !skip.has(key));
    expect(of(head)).toEqual(of(get));
    expect(get.headers.get('content-encoding')).toBeNull();
    expect(get.headers.get('cache-control')).toContain('no-transform');
    expect(Number(get.headers.get('content-length'))).toBe(content().length);
    expect((await bytesOf(get)).equals(content())).toBe(true);
  });
});

describe('links', () => {
  const link = async () => {
    const bytes = contents.get('whole.bin') as Buffer;
    const objects = [{ oid: sha256Of(bytes), size: bytes.length }];
    const body = JSON.stringify({ operation: 'download', objects });
    const answer = await hub.ask('/alice/model.git/info/lfs/objects/batch', TOKENS.alice, {
      method: 'POST',
      body,
    });
    const batch = (await answer.json()) as {
      objects: { actions: { download: { href: string; expires_in: number } } }[];
    };
    return batch.objects[0]?.actions.download as { href: string; expires_in: number };
  };
  const fetches = async () => {
    const read = await hub.cas('alice/model', TOKENS.alice, 'read');
    const { rows } = await hub.app.db.query<{ hash: string }>(
      "SELECT encode(hash, 'hex') AS hash FROM xet_file LIMIT 1",
    );
    const text = (await import('#lib/repos/files/xet/hashes.ts')).hashText(
      Buffer.from(rows[0]?.hash ?? '', 'hex'),
    );
    const plan = (await (await read.get(`/v1/reconstructions/${text}`)).json()) as {
      fetch_info: Record<string, { url: string }[]>;
    };
    return Object.values(plan.fetch_info)
      .flat()
      .map(({ url }) => url);
  };

  test('two requests within ten minutes get the same address, a later one another; all live as long as promised', async () => {
    const [first, urls] = [await link(), await fetches()];
    nowMs += 590_000;
    expect((await link()).href).toBe(first.href);
    expect(await fetches()).toEqual(urls);
    nowMs += 20_000;
    expect((await link()).href).not.toBe(first.href);
    expect(await fetches()).not.toEqual(urls);
    const late = await link();
    nowMs += late.expires_in * 1000 - 1000;
    expect((await fetch(late.href, { headers: { range: 'bytes=0-0' } })).status).toBe(206);
    nowMs += 660_000;
    expect((await fetch(late.href)).status).toBe(403);
  });
});
