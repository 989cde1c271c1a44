import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import { checkFiles } from '#lib/repos/check/check-files.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';
import { createS3Store } from '#lib/storage/s3-store.ts';
import { routes } from '#lib/wire/routes.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startRgw, type TestS3 } from '../support/rgw.ts';
import { type S3Faults, startS3Faults } from '../support/s3-faults.ts';
import { startWire, type TestWire } from '../support/wire.ts';
import { buildShard, buildXorb, contentOf, sha256Of } from '../xet/build.ts';

let s3: TestS3;
let faults: S3Faults;
let store: ObjectStore;

beforeAll(async () => {
  s3 = await startRgw();
  faults = await startS3Faults(s3.endpoint);
  const { accessKeyId, secretAccessKey } = s3;
  const options = { bucket: 'faults', region: 'us-east-1', direct: true, accessKeyId, secretAccessKey };
  store = await createS3Store({ ...options, endpoint: faults.endpoint });
});
afterAll(async () => {
  await store?.close();
  await faults?.close();
  await s3?.stop();
});
afterEach(() => {
  faults.rule = () => null;
  vi.useRealTimers();
});

/** The first request that fits gets the fault, those after it none. */
function once(
  fits: (method: string, query: URLSearchParams) => boolean,
  fault: ReturnType<S3Faults['rule']>,
): void {
  let isSpent = false;
  faults.rule = ({ method, query }) => {
    if (isSpent || !fits(method, query)) return null;
    isSpent = true;
    return fault;
  };
}

describe('F6: completing a multipart upload', () => {
  test.each([
    ['is answered 500 although it was done', { kind: 'done-but', status: 500, code: 'InternalError' }],
    ['is done and the answer is lost', { kind: 'lost' }],
    ['is done and answered 200 with an error in the body', { kind: 'done-but-200', code: 'InternalError' }],
    ['is not done and answered 500', { kind: 'answer', status: 500, code: 'InternalError' }],
  ] as const)('%s: the object is there, once and whole', async (_, fault) => {
    const key = newObjectKey('blob');
    const bytes = randomBytes(300_000);
    const id = await store.beginMultipart(key);
    const part = await store.putPart(key, id, 1, bytes, { sizeBytes: bytes.length });
    once((method, query) => method === 'POST' && query.has('uploadId'), fault);
    await store.completeMultipart(key, id, [part]);
    expect((await buffer(await store.get(key))).equals(bytes)).toBe(true);
  });
});

describe('F26: a store that does not want to', () => {
  test.each([
    ['SlowDown', { kind: 'answer', status: 503, code: 'SlowDown' }],
    ['InternalError', { kind: 'answer', status: 500, code: 'InternalError' }],
  ] as const)(
    'always answers %s: each call ends soon as not_ready, after three tries at most',
    async (_, fault) => {
      faults.rule = () => fault;
      for (const call of [
        () => store.head('blob/x'),
        () => store.get('blob/x'),
        () => store.beginMultipart('blob/x'),
      ]) {
        const before = faults.seen.length;
        const startedAt = performance.now();
        await expect(call()).rejects.toMatchObject({ code: 'not_ready' });
        expect(faults.seen.length - before).toBeLessThanOrEqual(3);
        expect(performance.now() - startedAt).toBeLessThan(5_000);
      }
    },
  );

  test('a body that streams is sent once: it cannot be sent again, and nothing is kept of it', async () => {
    faults.rule = ({ method }) =>
      method === 'PUT' ? { kind: 'answer', status: 503, code: 'SlowDown' } : null;
    const key = newObjectKey('blob');
    const before = faults.seen.length;
    const body = Readable.from([randomBytes(1_000)]);
    await expect(store.put(key, body, { sizeBytes: 1_000 })).rejects.toMatchObject({ code: 'not_ready' });
    expect(faults.seen.length - before).toBe(1);
    faults.rule = () => null;
    expect(await store.head(key)).toBeNull();
  });

  test('calls without end do not become a storm: the budget of retries runs out', async () => {
    faults.rule = () => ({ kind: 'answer', status: 503, code: 'SlowDown' });
    const before = faults.seen.length;
    await Promise.all(Array.from({ length: 300 }, () => store.head('blob/x').catch(() => {})));
    expect(faults.seen.length - before).toBeLessThan(300 + 150);
  });
});

describe('F28: bodies that are not what was stored', () => {
  const bytes = randomBytes(400_000);
  const key = newObjectKey('blob');
  beforeAll(() => store.put(key, bytes, { sizeBytes: bytes.length }));

  test.each([
    ['breaks off', { kind: 'truncate', bytes: 100_000 }],
    ['ends early in order', { kind: 'short', bytes: 100_000 }],
  ] as const)('a body that %s is an error, whole and as a range', async (_, fault) => {
    faults.rule = ({ method }) => (method === 'GET' ? fault : null);
    const whole = { start: 0, end: bytes.length - 1 };
    await expect(store.get(key, { range: whole }).then(buffer)).rejects.toThrow();
  });
});

describe('F26: a network that misbehaves between hub and store', () => {
  test('a reset or an early end in the middle of a body is an error, a late answer is an answer, and after a while down all works', async () => {
    const proxy = await startFaultProxy(s3.endpoint);
    const { accessKeyId, secretAccessKey } = s3;
    const options = { bucket: 'faults', region: 'us-east-1', direct: true, accessKeyId, secretAccessKey };
    const far = await createS3Store({ ...options, endpoint: proxy.url });
    const key = newObjectKey('blob');
    const bytes = randomBytes(600_000);
    await far.put(key, bytes, { sizeBytes: bytes.length });
    for (const kind of ['reset', 'cut'] as const) {
      proxy.set({ down: { kind, afterBytes: 100_000 } });
      await expect(far.get(key).then(buffer)).rejects.toThrow();
      proxy.set({ up: { kind, afterBytes: 100_000 } });
      const body = Readable.from([randomBytes(400_000)]);
      await expect(far.put(newObjectKey('blob'), body, { sizeBytes: 400_000 })).rejects.toMatchObject({
        code: 'not_ready',
      });
    }
    proxy.set({ down: { kind: 'delay', ms: 100 } });
    expect((await far.head(key))?.sizeBytes).toBe(bytes.length);
    proxy.down();
    await expect(far.head(key)).rejects.toMatchObject({ code: 'not_ready' });
    proxy.heal();
    expect((await buffer(await far.get(key))).equals(bytes)).toBe(true);
    await far.close();
    await proxy.close();
  });
});

describe('F30: the clock of the hub is 20 minutes off', () => {
  test.each([20, -20])(
    'by %i minutes: calls go on, and signed URLs are signed by the store’s clock',
    async (minutes) => {
      const { accessKeyId, secretAccessKey } = s3;
      const realNow = Date.now();
      vi.useFakeTimers({ toFake: ['Date'], now: realNow + minutes * 60_000 });
      const options = { bucket: 'faults', region: 'us-east-1', direct: true, accessKeyId, secretAccessKey };
      const skewed = await createS3Store({ ...options, endpoint: s3.endpoint });
      const key = newObjectKey('blob');
      await skewed.put(key, Buffer.from('late'), { sizeBytes: 4 });
      await skewed.put(newObjectKey('blob'), Readable.from([Buffer.from('late')]), { sizeBytes: 4 });
      expect((await buffer(await skewed.get(key))).toString()).toBe('late');
      const url = (await skewed.signGet(key, { expiresSeconds: 600 })) as string;
      vi.useRealTimers();
      expect((await fetch(url)).status).toBe(200);
      await skewed.close();
    },
  );

  test('and stays so: the error says that the clocks differ', async () => {
    faults.rule = () => ({ kind: 'answer', status: 403, code: 'RequestTimeTooSkewed' });
    await expect(store.get('blob/x')).rejects.toThrow(/clocks? of the hub and of the object store/);
  });
});

describe('a hub over such a store', () => {
  let wire: TestWire;
  const token = `hf_${'a'.repeat(40)}`;
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(wire.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  const json = { 'content-type': 'application/json' };

  beforeAll(async () => {
    wire = await startWire(routes, {
      S3_ENDPOINT: faults.endpoint,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      S3_BUCKET: 'hub',
      S3_DIRECT: 'false',
      LARDER_ADMIN_PASSWORD: 'correct horse battery',
      LARDER_ADMIN_TOKEN: token,
      LOG_LEVEL: 'silent',
    });
    await bootstrap(wire.app);
  });
  afterAll(() => wire?.close());
  beforeEach(async () => {
    await ask('/api/repos/create', { method: 'POST', headers: json, body: '{"name": "r"}' });
  });

  async function batch(bytes: Buffer, operation: 'upload' | 'download'): Promise<string | undefined> {
    const type = 'application/vnd.git-lfs+json';
    const objects = [{ oid: sha256Of(bytes), size: bytes.length }];
    const answer = await ask('/admin/r.git/info/lfs/objects/batch', {
      method: 'POST',
      headers: { 'content-type': type, accept: type },
      body: JSON.stringify({ operation, transfers: ['basic'], objects }),
    });
    const body = (await answer.json()) as { objects: { actions?: Record<string, { href: string }> }[] };
    return body.objects[0]?.actions?.[operation]?.href;
  }
  const send = async (bytes: Buffer) => {
    const href = (await batch(bytes, 'upload')) as string;
    return fetch(href, { method: 'PUT', body: new Uint8Array(bytes) });
  };
  async function commit(path: string, bytes: Buffer): Promise<number> {
    const lines = [
      { key: 'header', value: { summary: 'x' } },
      { key: 'lfsFile', value: { path, algo: 'sha256', oid: sha256Of(bytes), size: bytes.length } },
    ];
    const body = lines.map((line) => JSON.stringify(line)).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    return (await ask('/api/models/admin/r/commit/main', { method: 'POST', headers, body })).status;
  }

  test('F26: while the store is down HEAD, listings and small files answer, writes of bytes get 503 with Retry-After, and all works again after', async () => {
    const bytes = randomBytes(50_000);
    expect((await send(bytes)).status).toBe(200);
    expect(await commit('m.bin', bytes)).toBe(200);
    faults.rule = () => ({ kind: 'answer', status: 503, code: 'SlowDown' });
    expect((await ask('/admin/r/resolve/main/m.bin', { method: 'HEAD' })).status).toBe(200);
    expect((await ask('/api/models/admin/r/tree/main')).status).toBe(200);
    expect((await ask('/admin/r/resolve/main/.gitattributes')).status).toBe(200);
    const refused = await send(randomBytes(1_000));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    const read = await ask('/admin/r/resolve/main/m.bin');
    expect([read.status, read.headers.get('retry-after')]).toEqual([503, '2']);
    faults.rule = () => null;
    expect((await send(randomBytes(1_000))).status).toBe(200);
    expect(Buffer.from(await (await ask('/admin/r/resolve/main/m.bin')).arrayBuffer())).toEqual(bytes);
  });

  test('F27: an object that the store denies to have just after it took it is a passing error, not a loss', async () => {
    const bytes = randomBytes(20_000);
    expect((await send(bytes)).status).toBe(200);
    expect(await commit('late.bin', bytes)).toBe(200);
    faults.rule = ({ method, path }) =>
      method === 'GET' && path.includes('/blob/') ? { kind: 'answer', status: 404, code: 'NoSuchKey' } : null;
    expect((await ask('/admin/r/resolve/main/late.bin')).status).toBeGreaterThanOrEqual(500);
    faults.rule = () => null;
    expect(Buffer.from(await (await ask('/admin/r/resolve/main/late.bin')).arrayBuffer())).toEqual(bytes);
  });

  test.each([
    ['F27: the answer to a PUT is lost', { kind: 'lost' }],
    [
      'F27: a PUT is done and answered 412, as a retry of its own would be',
      { kind: 'done-but', status: 412, code: 'PreconditionFailed' },
    ],
  ] as const)(
    '%s: the client tries again under a new key, and what was left is garbage that check names',
    async (_, fault) => {
      const bytes = randomBytes(30_000);
      once((method) => method === 'PUT', fault);
      expect((await send(bytes)).status).toBe(503);
      expect((await send(bytes)).status).toBe(200);
      expect(
        Buffer.from(await (await fetch((await batch(bytes, 'download')) as string)).arrayBuffer()),
      ).toEqual(bytes);
      const found: string[] = [];
      for await (const finding of checkFiles(wire.app, { graceMs: -60_000 })) found.push(finding.code);
      expect(new Set(found)).toEqual(new Set(['key-unnamed']));
    },
  );

  test.each([
    ['truncated', { kind: 'truncate', bytes: 10_000 }],
    ['corrupted', { kind: 'corrupt' }],
    ['cut short with a length that says so', { kind: 'short', bytes: 10_000 }],
  ] as const)(
    'F28: a whole file and a Xet file whose bytes come %s break visibly, never a clean end',
    async (_, fault) => {
      const whole = randomBytes(200_000);
      expect((await send(whole)).status).toBe(200);
      const xorb = buildXorb([randomBytes(60_000), randomBytes(70_000)]);
      const terms = [{ xorb, start: 0, end: 2 }];
      const { casUrl, accessToken } = (await (
        await ask('/api/models/admin/r/xet-write-token/main')
      ).json()) as {
        casUrl: string;
        accessToken: string;
      };
      const headers = { authorization: `Bearer ${accessToken}` };
      const post = (path: string, body: Buffer) =>
        fetch(casUrl + path, { method: 'POST', headers, body: new Uint8Array(body) });
      expect((await post(`/v1/xorbs/default/${xorb.hash}`, xorb.body)).status).toBe(200);
      expect((await post('/v1/shards', buildShard([terms], [xorb]))).status).toBe(200);
      expect(await commit('whole.bin', whole)).toBe(200);
      expect(await commit('xet.bin', contentOf(terms))).toBe(200);
      for (const path of ['whole.bin', 'xet.bin']) {
        faults.rule = ({ method }) => (method === 'GET' ? fault : null);
        const outcome = await ask(`/admin/r/resolve/main/${path}`)
          .then(async (answer) => {
            await answer.arrayBuffer();
            return answer.status === 200 ? 'a clean end' : answer.status;
          })
          .catch(() => 'broken');
        expect(outcome === 'broken' || (outcome as number) >= 500, `${path}: ${outcome}`).toBe(true);
      }
      faults.rule = () => null;
      const again = await ask('/admin/r/resolve/main/whole.bin');
      expect(Buffer.from(await again.arrayBuffer())).toEqual(whole);
    },
  );
});
