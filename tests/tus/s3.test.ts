import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepStore } from '#lib/repos/files/sweep-store.ts';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';
import { withSameMd5 } from '#tests/support/same-md5.ts';
import { sendByTus } from './js-client.ts';
import { fileOf, sha256Of, startTusHub, type TusHub, tokenOf } from './tus-hub.ts';

const MIB = 2 ** 20;
const FIELDS = { path: 'model.bin', revision: 'main' };
let s3: TestS3;
let hub: TusHub;
beforeAll(async () => {
  s3 = await startRgw();
  hub = await startTusHub({
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_BUCKET: 'larder-tus',
  });
});
afterAll(async () => {
  await hub?.close();
  await s3?.stop();
});

async function begunAtStore(): Promise<number> {
  let count = 0;
  for await (const _ of hub.app.store.listMultipart()) count += 1;
  return count;
}

test('tus-js-client over S3: aborted, resumed, whole; nothing is left over', async () => {
  const { bytes, sha256 } = fileOf(50 * MIB + 1);
  const first = sendByTus(`${hub.url}/api/models/alice/one/tus`, tokenOf('alice'), bytes, {
    metadata: { sha256 },
  });
  while (first.progress() < 25 * MIB) await sleep(5);
  await first.upload.abort();
  const url = first.upload.url as string;
  await sendByTus(`${hub.url}/api/models/alice/one/tus`, tokenOf('alice'), bytes, { uploadUrl: url }).done;
  expect((await hub.tus('HEAD', url)).headers.get('larder-sha256')).toBe(sha256);
  expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  expect(await begunAtStore()).toBe(0);
});

test('pieces below the smallest part of S3 add up through a tail', async () => {
  const { bytes, sha256 } = fileOf(25 * MIB + 7);
  const location = await hub.create('alice/one', { ...FIELDS, sha256 }, bytes.length);
  for (let at = 0; at < bytes.length; at += 3 * MIB)
    expect((await hub.patch(location, at, bytes.subarray(at, at + 3 * MIB))).status).toBe(204);
  expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  expect((await hub.keys()).filter((key) => key.startsWith('staging/'))).toEqual([]);
});

test('a body that breaks off leaves the parts that were whole: the rest is sent again', async () => {
  const { bytes, sha256 } = fileOf(40 * MIB);
  const location = await hub.create('alice/one', { ...FIELDS, sha256 }, bytes.length);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent === 25) await sleep(500);
      if (sent === 25) return controller.error(new Error('gone'));
      controller.enqueue(bytes.subarray(sent * MIB, ++sent * MIB));
    },
  });
  const headers = { 'content-length': String(bytes.length) };
  await expect(hub.patch(location, 0, body, { headers })).rejects.toThrow();
  const at = Number((await hub.tus('HEAD', location)).headers.get('upload-offset'));
  expect(at).toBe(16 * MIB);
  expect((await hub.patch(location, at, bytes.subarray(at))).headers.get('larder-sha256')).toBe(sha256);
  expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
});

test('a part that a writer stored and died before it was recorded does not spoil the upload', async () => {
  const { bytes, sha256 } = fileOf(40 * MIB);
  const location = await hub.create('alice/one', { ...FIELDS, sha256 }, bytes.length);
  expect((await hub.patch(location, 0, bytes.subarray(0, 16 * MIB))).status).toBe(204);
  const { rows } = await hub.app.db.query<{ key: string; storage_upload_id: string }>(
    `SELECT key, storage_upload_id FROM tus_upload WHERE state = 'open' AND key IS NOT NULL`,
  );
  const { key, storage_upload_id: id } = rows[0] as (typeof rows)[0];
  for (const number of [2, 3])
    await hub.app.store.putPart(key, id, number, Buffer.alloc(6 * MIB), { sizeBytes: 6 * MIB });
  expect((await hub.patch(location, 16 * MIB, bytes.subarray(16 * MIB))).headers.get('larder-sha256')).toBe(
    sha256,
  );
  expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
});

test('a writer that was taken over cannot slip in other bytes of the same etag', async () => {
  const [part, forged] = withSameMd5(randomBytes(8 * MIB - 128));
  expect([part, forged].map((bytes) => createHash('md5').update(bytes).digest('hex'))[1]).toBe(
    createHash('md5').update(part).digest('hex'),
  );
  const bytes = Buffer.concat([part, randomBytes(8 * MIB)]);
  const location = await hub.create('alice/one', { ...FIELDS, sha256: sha256Of(bytes) }, bytes.length);
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const slow = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(forged.subarray(0, 7 * MIB));
      await mayEnd;
      controller.enqueue(forged.subarray(7 * MIB));
      controller.close();
    },
  });
  const headers = { 'content-length': String(forged.length) };
  const late = hub.patch(location, 0, slow, { headers });
  await sleep(500);
  expect((await hub.patch(location, 0, part)).status).toBe(204);
  end();
  expect((await late).status).toBe(423);
  expect((await hub.patch(location, part.length, bytes.subarray(part.length))).status).toBe(422);
  expect(await hub.read('alice/one', sha256Of(bytes))).toBeNull();
});

test('wrong bytes are removed from the bucket; cancelled and unknown uploads are given up there', async () => {
  const before = await hub.keys();
  const { bytes, sha256 } = fileOf(20 * MIB);
  const location = await hub.create('alice/one', { ...FIELDS, sha256 }, bytes.length);
  expect((await hub.patch(location, 0, Buffer.alloc(20 * MIB))).status).toBe(422);
  const cancelled = await hub.create('alice/one', FIELDS, 40 * MIB);
  expect((await hub.patch(cancelled, 0, bytes)).status).toBe(204);
  expect(await begunAtStore()).toBe(1);
  expect((await hub.tus('DELETE', cancelled)).status).toBe(204);
  expect(await begunAtStore()).toBe(0);
  await hub.app.store.beginMultipart('blob/aa/unknown');
  const tomorrow = { ...hub.app.clock, now: () => Date.now() + 25 * 3600_000 };
  expect(await sweepStore({ ...hub.app, clock: tomorrow })).toBe(1);
  expect(await begunAtStore()).toBe(0);
  expect(await hub.keys()).toEqual(before);
});

test('a browser that may reach the store is sent there, and may read what it answers; by configuration it is not', async () => {
  const ask = async (of: TusHub) => {
    const answer = await of.post('/api/models/alice/one/upload-preflight', { files: [] });
    return ((await answer.json()) as { transfer: string }).transfer;
  };
  expect(await ask(hub)).toBe('direct');
  const { bytes, sha256 } = fileOf(65 * MIB);
  const batch = await hub.post('/alice/one.git/info/lfs/objects/batch', {
    operation: 'upload',
    transfers: ['multipart'],
    objects: [{ oid: sha256, size: bytes.length }],
  });
  const { objects } = (await batch.json()) as {
    objects: { actions: { upload: { href: string; header: Record<string, string> } } }[];
  };
  const { href, header } = (objects[0] as (typeof objects)[0]).actions.upload;
  const origin = 'https://hub.example.org';
  const size = Number(header.chunk_size);
  const parts = [];
  for (const [i, url] of Object.entries(header)
    .filter(([key]) => key !== 'chunk_size')
    .sort()
    .map(([, url]) => url)
    .entries()) {
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    const body = new Uint8Array(bytes.subarray(i * size, (i + 1) * size));
    const answer = await fetch(url, { method: 'PUT', headers: { origin }, body });
    expect(answer.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('etag');
    parts.push({ partNumber: i + 1, etag: answer.headers.get('etag') });
  }
  const done = await fetch(href, {
    method: 'POST',
    headers: { origin: hub.url, 'content-type': 'application/json' },
    body: JSON.stringify({ oid: sha256, parts }),
  });
  expect(done.status).toBe(200);
  expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);

  const byHub = await startTusHub({
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_BUCKET: 'larder-tus',
    LARDER_BROWSER_UPLOADS: 'hub',
  });
  expect(await ask(byHub)).toBe('tus');
  await byHub.close();
});
