import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newObjectKey } from '#lib/storage/keys.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';
import { createS3Store } from '#lib/storage/s3-store.ts';
import { startCountingProxy } from '#tests/clients/counting-proxy.ts';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';
import { describeObjectStore } from './conformance.ts';
import { describeMultipart } from './multipart-conformance.ts';

let s3: TestS3;
let store: ObjectStore;

function open(
  more: { direct?: boolean; publicEndpoint?: string; endpoint?: string; secretAccessKey?: string } = {},
) {
  return createS3Store({ bucket: 'larder-test', region: 'us-east-1', direct: true, ...s3, ...more });
}

beforeAll(async () => {
  s3 = await startRgw();
  store = await open();
});
afterAll(async () => {
  await store?.close();
  await s3?.stop();
});

describeObjectStore('s3', () => store);
describeMultipart('s3', () => store);

describe('s3: signed URLs', () => {
  const bytes = randomBytes(100_000);
  const key = newObjectKey('blob');
  beforeAll(() => store.put(key, bytes, { sizeBytes: bytes.length }));

  async function url(options: Partial<Parameters<ObjectStore['signGet']>[1]> = {}): Promise<string> {
    return (await store.signGet(key, { expiresSeconds: 60, ...options })) as string;
  }

  it('give the object to anyone, with the name and type asked for', async () => {
    const answer = await fetch(await url({ filename: 'модель "1".gguf', contentType: 'application/x-gguf' }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/x-gguf');
    expect(answer.headers.get('content-disposition')).toContain("filename*=UTF-8''%D0%BC");
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('without a range let the client choose ranges', async () => {
    const answer = await fetch(await url(), { headers: { range: 'bytes=10-19' } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe('bytes 10-19/100000');
  });

  it('with a range give exactly that range and no other', async () => {
    const pinned = await url({ range: { start: 10, end: 19 } });
    const good = await fetch(pinned, { headers: { range: 'bytes=10-19' } });
    expect(Buffer.from(await good.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    for (const headers of [{ range: 'bytes=10-20' }, { range: 'bytes=0-' }, {}])
      expect((await fetch(pinned, { headers })).status).toBe(403);
  });

  it('are refused after they expire', async () => {
    const brief = await url({ expiresSeconds: 1 });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await fetch(brief)).status).toBe(403);
  });

  it('are refused when any of key, time, signature or method is changed', async () => {
    const good = await url();
    const other = newObjectKey('blob');
    await store.put(other, Buffer.from('secret'), { sizeBytes: 6 });
    for (const changed of [
      good.replace(key, other),
      good.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'),
      good.replace(/(X-Amz-Signature=)(.)/, (_, name, c) => name + (c === '0' ? '1' : '0')),
    ]) {
      expect(changed).not.toBe(good);
      expect((await fetch(changed)).status).toBe(403);
    }
    expect((await fetch(good, { method: 'PUT', body: 'x' })).status).toBe(403);
  });

  it('name the public endpoint, or are not made when clients may not reach the store', async () => {
    const elsewhere = await open({ publicEndpoint: 'https://s3.example.org' });
    expect(await elsewhere.signGet(key, { expiresSeconds: 60 })).toMatch(/^https:\/\/s3\.example\.org\//);
    expect(await elsewhere.signPart(key, 'id', 1, 60)).toMatch(/^https:\/\/s3\.example\.org\//);
    const hidden = await open({ direct: false });
    expect(await hidden.signGet(key, { expiresSeconds: 60 })).toBeNull();
    expect(await hidden.signPart(key, 'id', 1, 60)).toBeNull();
  });

  it('of parts take a plain PUT with no headers but the length, and die with the upload', async () => {
    const target = newObjectKey('staging');
    const id = await store.beginMultipart(target);
    const part = (await store.signPart(target, id, 1, 60)) as string;
    expect(new URL(part).searchParams.get('X-Amz-SignedHeaders')).toBe('host');
    const answer = await fetch(part, { method: 'PUT', body: bytes });
    expect(answer.status).toBe(200);
    await store.completeMultipart(target, id, [{ partNumber: 1, etag: answer.headers.get('etag') ?? '' }]);
    const late = await fetch(part, { method: 'PUT', body: randomBytes(100_000) });
    expect(late.status).toBe(404);
    expect((await buffer(await store.get(target))).equals(bytes)).toBe(true);
  });
});

describe('s3: a store that misbehaves', () => {
  /** Answers every request with `bytes` and hangs up. */
  async function fake(answer: string): Promise<{ endpoint: string; server: Server }> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`, server };
  }

  it('a read that is cut off ends in an error, never early', async () => {
    const { endpoint, server } = await fake('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this');
    const cut = await open({ endpoint });
    const stream = await cut.get('blob/x');
    await expect(buffer(stream)).rejects.toThrow();
    server.close();
  });

  it('that goes away is not_ready for every call', async () => {
    const proxy = await startCountingProxy(s3.endpoint);
    const via = await open({ endpoint: proxy.url });
    const key = newObjectKey('blob');
    await via.put(key, Buffer.from('kept'), { sizeBytes: 4 });
    await proxy.close();
    const calls = [
      () => via.put(newObjectKey('blob'), Buffer.from('x'), { sizeBytes: 1 }),
      () => via.put(newObjectKey('blob'), Readable.from([Buffer.from('x')]), { sizeBytes: 1 }),
      () => via.get(key),
      () => via.head(key),
      () => via.delete([key]),
      () => via.beginMultipart(key),
      () => via.completeMultipart(key, 'id', [{ partNumber: 1, etag: '"x"' }]),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'not_ready' });
    await expect(via.probe()).rejects.toThrow(/object store \(s3\): write failed/);
    expect((await buffer(await store.get(key))).toString()).toBe('kept');
  });

  it('that is unreachable or refuses our keys is not_ready, so that clients come back', async () => {
    await expect(open({ endpoint: 'http://127.0.0.1:1' })).rejects.toMatchObject({ code: 'not_ready' });
    await expect(open({ secretAccessKey: 'wrong' })).rejects.toMatchObject({ code: 'not_ready' });
  });
});
