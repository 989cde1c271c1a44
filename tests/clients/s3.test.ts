import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { downloadFile } from '@huggingface/hub';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Hub, startHub } from '../support/hub.ts';
import { startRgw, type TestS3 } from '../support/rgw.ts';
import { CARD, hashesOf, noise, writeFiles } from './files.ts';
import { hfOk } from './python.ts';

const NO_XET = { HF_HUB_DISABLE_XET: '1' };
/** Above the threshold of multipart uploads. */
const SIZE_MIB = 66;
const SIZE_BYTES = SIZE_MIB * 2 ** 20;

let s3: TestS3;
let dir: string;
let source: string;
let wanted: Record<string, string>;

beforeAll(async () => {
  s3 = await startRgw();
  dir = await mkdtemp(join(tmpdir(), 'larder-s3-'));
  source = join(dir, 'source');
  await writeFiles(source, {
    'README.md': CARD,
    'model.safetensors': noise(SIZE_MIB),
    'sub/tiny.bin': 'tiny',
  });
  wanted = await hashesOf(source);
});

afterAll(async () => {
  await s3?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

describe.each([
  ['clients reach the store', 'true'],
  ['the hub stands between', 'false'],
])('on a real S3 server, %s', (_name, direct) => {
  let hub: Hub;

  beforeAll(async () => {
    hub = await startHub({
      env: {
        S3_ENDPOINT: s3.endpoint,
        S3_ACCESS_KEY_ID: s3.accessKeyId,
        S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
        S3_BUCKET: `clients-${direct}`,
        S3_DIRECT: direct,
      },
    });
  });
  afterAll(() => hub?.stop());

  const options = (more: Record<string, string> = {}) => ({
    endpoint: hub.url,
    token: hub.adminToken,
    home: join(dir, `home${Math.random()}`),
    env: more,
  });

  test.each([
    ['Xet', {}],
    ['whole files', NO_XET],
  ])('what hf uploads as %s it downloads with the same bytes, either way', async (name, env) => {
    const id = `admin/${name === 'Xet' ? 'xet' : 'lfs'}`;
    await hfOk(['upload', id, source], options(env));
    for (const readerEnv of [{}, NO_XET]) {
      const to = join(dir, `to${Math.random()}`);
      await hfOk(['download', id, '--local-dir', to], options(readerEnv));
      expect(await hashesOf(to)).toMatchObject(wanted);
    }
  });

  test('a GET of a whole file is redirected to the store, or streamed, with all that clients read', async () => {
    const url = `${hub.url}/admin/lfs/resolve/main/model.safetensors`;
    const ahead = await fetch(url, { method: 'HEAD', redirect: 'manual' });
    expect([ahead.status, ahead.headers.get('location')]).toEqual([200, null]);
    expect(ahead.headers.get('content-length')).toBe(String(SIZE_BYTES));
    const get = await fetch(url, { redirect: 'manual' });
    const location = get.headers.get('location');
    expect(get.status).toBe(direct === 'true' ? 302 : 200);
    expect(location?.startsWith(s3.endpoint) ?? false).toBe(direct === 'true');
    expect(get.headers.get('x-repo-commit')).toBe(ahead.headers.get('x-repo-commit'));
    expect(get.headers.get('x-linked-etag')).toBe(`"${wanted['model.safetensors']}"`);
    expect(get.headers.get('x-linked-size')).toBe(String(SIZE_BYTES));
    await get.body?.cancel();
  });

  test('curl -L -r and JavaScript follow it', async () => {
    const url = `${hub.url}/admin/lfs/resolve/main/model.safetensors`;
    const { stdout } = await promisify(execFile)('curl', ['-sfL', '-r', '100-199', url], {
      encoding: 'buffer',
    });
    const blob = await downloadFile({
      hubUrl: hub.url,
      repo: 'admin/lfs',
      path: 'model.safetensors',
      xet: false,
    });
    const bytes = Buffer.from((await blob?.arrayBuffer()) ?? new ArrayBuffer(0));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(wanted['model.safetensors']);
    expect(stdout.equals(bytes.subarray(100, 200))).toBe(true);
  });
});
