import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3Store } from '#lib/storage/s3-store.ts';
import { hashesOf } from '../clients/files.ts';
import { hfOk } from '../clients/python.ts';
import { type Hub, startHub } from '../support/hub.ts';
import { startRgw, type TestS3 } from '../support/rgw.ts';
import { buildXorb } from './build.ts';

let s3: TestS3;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-xet-s3-'));
  s3 = await startRgw();
  await mkdir(join(dir, 'content'));
  await writeFile(join(dir, 'content', 'random.bin'), randomBytes(70_000_000));
  await writeFile(join(dir, 'content', 'text.bin'), 'The quick brown fox. '.repeat(400_000));
}, 180_000);
afterAll(async () => {
  await s3?.stop();
  await rm(dir, { recursive: true, force: true });
});

describe.each([
  ['clients reach the store: links are signed by it', 'true'],
  ['clients do not reach the store: links are the hub’s', 'false'],
])('Xet over S3, %s', (_what, direct) => {
  let hub: Hub;

  beforeAll(async () => {
    hub = await startHub({
      env: {
        S3_ENDPOINT: s3.endpoint,
        S3_BUCKET: `xet-${direct}`,
        S3_ACCESS_KEY_ID: s3.accessKeyId,
        S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
        S3_DIRECT: direct,
      },
    });
  });
  afterAll(() => hub?.stop());

  const client = (name: string, env: Record<string, string> = {}) => ({
    endpoint: hub.url,
    token: hub.adminToken,
    home: join(dir, `home-${direct}-${name}`),
    env,
  });

  test('what hf uploads comes back through Xet and through the bridge', async () => {
    await hfOk(['upload', 'admin/model', join(dir, 'content')], client('up'));
    for (const [name, env] of [
      ['xet', {}],
      ['bridge', { HF_HUB_DISABLE_XET: '1' }],
    ] as const) {
      const target = join(dir, `${name}-${direct}`);
      await hfOk(['download', 'admin/model', '--local-dir', target], client(name, env));
      const { '.gitattributes': _, ...files } = await hashesOf(target);
      expect(files).toEqual(await hashesOf(join(dir, 'content')));
    }
  });

  test('a xorb with a wrong hash is refused with the reason, and the bucket holds nothing of it', async () => {
    const authorization = `Bearer ${hub.adminToken}`;
    const token = await fetch(`${hub.url}/api/models/admin/model/xet-write-token/main`, {
      headers: { authorization },
    });
    const { casUrl, accessToken } = (await token.json()) as { casUrl: string; accessToken: string };
    const store = await createS3Store({
      ...s3,
      bucket: `xet-${direct}`,
      region: 'us-east-1',
      direct: false,
    });
    const count = async () => {
      let objects = 0;
      for await (const _ of store.list('xorb/')) objects++;
      return objects;
    };
    const before = await count();
    for (const sizes of [[100], Array.from({ length: 100 }, () => 100_000)]) {
      const { body } = buildXorb(sizes.map((size) => randomBytes(size)));
      const answer = await fetch(`${casUrl}/v1/xorbs/default/${'0'.repeat(64)}`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { authorization: `Bearer ${accessToken}` },
      });
      expect(answer.status).toBe(400);
      expect(answer.headers.get('x-error-message')).toContain('not to the hash in the address');
    }
    expect(await count()).toBe(before);
    await store.close();
  });

  test('a link gives its own range and no other', async () => {
    const authorization = `Bearer ${hub.adminToken}`;
    const head = await fetch(`${hub.url}/admin/model/resolve/main/random.bin`, {
      method: 'HEAD',
      headers: { authorization },
    });
    const refresh = await fetch(head.headers.get('x-xet-refresh-route') ?? '', {
      headers: { authorization },
    });
    const { casUrl, accessToken } = (await refresh.json()) as { casUrl: string; accessToken: string };
    const answer = await fetch(`${casUrl}/v2/reconstructions/${head.headers.get('x-xet-hash')}`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    const plan = (await answer.json()) as {
      xorbs: Record<string, { url: string; ranges: { bytes: { start: number; end: number } }[] }[]>;
    };
    const entries = Object.values(plan.xorbs).flat();
    expect(new Set(entries.map((e) => e.url)).size).toBe(entries.length);
    for (const { url, ranges } of entries) {
      expect(url.startsWith(direct === 'true' ? s3.endpoint : hub.url)).toBe(true);
      const { start, end } = ranges[0]?.bytes ?? { start: 0, end: 0 };
      const status = async (range?: string) => {
        const got = await fetch(url, range === undefined ? {} : { headers: { range } });
        await got.arrayBuffer();
        return got.status;
      };
      expect(await status(`bytes=${start}-${end}`)).toBe(206);
      expect(await status(`bytes=${start}-${end - 1}`)).toBe(403);
      expect(await status()).toBe(403);
    }
  });
});
