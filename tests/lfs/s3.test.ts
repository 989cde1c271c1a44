import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';
import { withSameMd5 } from '#tests/support/same-md5.ts';
import {
  actionOf,
  fileOf,
  type LfsHub,
  partsOf,
  postJson,
  randomFile,
  sendParts,
  startLfsHub,
} from './lfs-hub.ts';
import { describeMultipartUploads } from './multipart-cases.ts';

let s3: TestS3;
beforeAll(async () => {
  s3 = await startRgw();
});
afterAll(() => s3?.stop());

const start = (more: Record<string, string> = {}) =>
  startLfsHub({
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_BUCKET: `larder-${Math.random().toString(36).slice(2)}`,
    ...more,
  });

describeMultipartUploads('S3', start);

describe('with an S3 store', () => {
  let hub: LfsHub;
  beforeAll(async () => {
    hub = await start();
  });
  afterAll(() => hub?.close());

  it('parts go to the store itself, which after completion takes them no more', async () => {
    const file = randomFile((64 << 20) + 5);
    const answer = await hub.batch('alice/one', 'alice', 'upload', [file], ['basic', 'multipart']);
    const upload = actionOf(answer, 'upload');
    const { urls } = partsOf(upload);
    expect(urls.every((url) => url.startsWith(s3.endpoint))).toBe(true);
    const parts = await sendParts(upload, file.bytes);
    expect((await postJson(upload.href, { oid: file.oid, parts })).status).toBe(200);
    const late = await fetch(urls[0] as string, { method: 'PUT', body: new Uint8Array(10) });
    expect(late.status).toBe(404);
  });

  it('a basic upload is streamed through the hub and hashed, a download goes to the store', async () => {
    const file = randomFile(3_000_000);
    const answer = await hub.batch('alice/one', 'alice', 'upload', [file]);
    const { href } = actionOf(answer, 'upload');
    expect(href.startsWith(hub.url)).toBe(true);
    const wrong = new Uint8Array(file.size);
    expect((await fetch(href, { method: 'PUT', body: wrong })).status).toBe(422);
    expect(await hub.keys()).toHaveLength(1); // of the test above
    expect((await fetch(href, { method: 'PUT', body: new Uint8Array(file.bytes) })).status).toBe(200);
    const down = actionOf(await hub.batch('alice/one', 'alice', 'download', [file]), 'download');
    expect(down.href.startsWith(s3.endpoint)).toBe(true);
    const got = await fetch(down.href, { headers: { range: 'bytes=5-9' } });
    expect(Buffer.from(await got.arrayBuffer()).equals(file.bytes.subarray(5, 10))).toBe(true);
  });

  it('a file above 5 GiB is refused as basic, with the way out in the message', async () => {
    const huge = { oid: randomFile(1).oid, size: 6 * 2 ** 30 };
    const answer = await hub.batch('alice/one', 'alice', 'upload', [huge], ['basic']);
    expect(answer.objects[0]?.error).toMatchObject({ code: 422 });
    expect(answer.objects[0]?.error?.message).toContain('hf lfs-enable-largefiles');
  });

  it('what came through the hub is read back: a part that was replaced by another of the same etag is found', async () => {
    const hidden = await start({ S3_DIRECT: 'false' });
    const [part, forged] = withSameMd5(randomBytes((64 << 20) - 128));
    const file = fileOf(Buffer.concat([part, randomBytes(5)]));
    const upload = actionOf(
      await hidden.batch('alice/one', 'alice', 'upload', [file], ['basic', 'multipart']),
      'upload',
    );
    const parts = await sendParts(upload, file.bytes);
    const { store, db } = hidden.app;
    const { rows } = await db.query<{ key: string; id: string }>(
      'SELECT key, storage_upload_id AS id FROM upload',
    );
    const { key, id } = rows[0] as (typeof rows)[0];
    const { etag } = await store.putPart(key, id, 1, forged, { sizeBytes: forged.length });
    expect(etag).toBe(parts[0]?.etag);
    expect((await postJson(upload.href, { oid: file.oid, parts })).status).toBe(422);
    expect(await hidden.held('alice/one', file.oid)).toBeUndefined();
    await hidden.close();
  });

  it('that clients cannot reach, everything goes through the hub', async () => {
    const hidden = await start({ S3_DIRECT: 'false' });
    const file = randomFile((64 << 20) + 5);
    const upload = actionOf(
      await hidden.batch('alice/one', 'alice', 'upload', [file], ['basic', 'multipart']),
      'upload',
    );
    const parts = await sendParts(upload, file.bytes);
    expect((await postJson(upload.href, { oid: file.oid, parts })).status).toBe(200);
    const down = actionOf(await hidden.batch('alice/one', 'alice', 'download', [file]), 'download');
    expect(down.href.startsWith(hidden.url)).toBe(true);
    expect(Buffer.from(await (await fetch(down.href)).arrayBuffer()).equals(file.bytes)).toBe(true);
    await hidden.close();
  });
});
