import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashesOf, noise, writeFiles } from '#tests/clients/files.ts';
import { hfOk } from '#tests/clients/python.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';

let s3: TestS3;
let dir: string;
const large = noise(70);
const NO_XET = { HF_HUB_DISABLE_XET: '1' };

beforeAll(async () => {
  s3 = await startRgw();
  dir = await mkdtemp(join(tmpdir(), 'larder-s3-clients-'));
});
afterAll(async () => {
  await s3?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

describe.each([
  ['which clients reach themselves', 'true'],
  ['which only the hub reaches', 'false'],
])('a hub on an S3 store %s', (_name, direct) => {
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub({
      env: {
        S3_ENDPOINT: s3.endpoint,
        S3_ACCESS_KEY_ID: s3.accessKeyId,
        S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
        S3_BUCKET: `larder-direct-${direct}`,
        S3_DIRECT: direct,
      },
    });
  });
  afterAll(() => hub?.stop());

  it.each([
    ['Xet', {}],
    ['parts', NO_XET],
  ])('gives back through every way what stock hf uploaded as %s', async (way, env) => {
    const id = `admin/by-${way.toLowerCase()}`;
    const from = join(dir, `from-${way}-${direct}`);
    await writeFiles(from, { 'model.safetensors': large, 'small.bin': 'small' });
    const options = { endpoint: hub.url, token: hub.adminToken };
    await hfOk(['upload', id, from], { ...options, env, home: join(dir, `up-${way}-${direct}`) });
    const wanted = await hashesOf(from);
    for (const [reader, readerEnv] of [
      ['xet', {}],
      ['plain', NO_XET],
    ] as const) {
      const to = join(dir, `to-${way}-${direct}-${reader}`);
      await hfOk(['download', id, '--local-dir', to], { ...options, env: readerEnv, home: `${to}-home` });
      expect(await hashesOf(to)).toMatchObject(wanted);
    }
    const url = `${hub.url}/${id}/resolve/main/model.safetensors`;
    const curl = ['-sfL', '-r', '66000000-66000099', url];
    const { stdout } = await promisify(execFile)('curl', curl, { encoding: 'buffer' });
    expect(stdout.equals(large.subarray(66_000_000, 66_000_100))).toBe(true);
  });
});
