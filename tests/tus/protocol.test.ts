import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileOf, metadataOf, sha256Of, startTusHub, type TusHub } from './tus-hub.ts';

const MIB = 2 ** 20;
let hub: TusHub;
beforeAll(async () => {
  hub = await startTusHub();
});
afterAll(() => hub.close());

const FIELDS = { path: 'weights/model.bin', revision: 'main' };

describe('tus 1.0.0: core, creation, creation with upload, expiration, termination', () => {
  test('OPTIONS tells version, extensions and the largest file, without credentials', async () => {
    const answer = await hub.tus('OPTIONS', '/api/models/alice/one/tus', { user: null });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('tus-version')).toBe('1.0.0');
    expect(answer.headers.get('tus-extension')).toBe('creation,creation-with-upload,expiration,termination');
    expect(Number(answer.headers.get('tus-max-size'))).toBe(5 * 2 ** 40);
  });

  test('a file sent in one PATCH is held by the repo under the hash that we computed', async () => {
    const { bytes, sha256 } = fileOf(3 * MIB + 1);
    const location = await hub.create('alice/one', FIELDS, bytes.length);
    const begun = await hub.tus('HEAD', location);
    expect([begun.status, begun.headers.get('upload-offset'), begun.headers.get('upload-length')]).toEqual([
      200,
      '0',
      String(bytes.length),
    ]);
    expect(begun.headers.get('cache-control')).toBe('no-store');
    expect(begun.headers.get('upload-metadata')).toBe(metadataOf(FIELDS));
    expect(Date.parse(begun.headers.get('upload-expires') ?? '') - Date.now()).toBeGreaterThan(
      6.9 * 86400_000,
    );
    const answer = await hub.patch(location, 0, bytes);
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(answer.headers.get('upload-offset')).toBe(String(bytes.length));
    expect(answer.headers.get('larder-sha256')).toBe(sha256);
    expect(answer.headers.get('tus-resumable')).toBe('1.0.0');
    expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
    const done = await hub.tus('HEAD', location);
    expect(done.headers.get('larder-sha256')).toBe(sha256);
    expect(done.headers.get('upload-offset')).toBe(String(bytes.length));
    expect(done.headers.get('upload-expires')).toBeNull();
  });

  test('pieces of any size add up: full parts, short parts, and those too small for a part', async () => {
    const { bytes, sha256 } = fileOf(40 * MIB + 17);
    const location = await hub.create('alice/one', { ...FIELDS, sha256 }, bytes.length);
    let offset = 0;
    for (const size of [1, 3 * MIB, 7 * MIB, 1, 20 * MIB, 2 * MIB, bytes.length]) {
      const answer = await hub.patch(location, offset, bytes.subarray(offset, offset + size));
      expect([answer.status, await answer.text()]).toEqual([204, '']);
      offset = Math.min(offset + size, bytes.length);
      expect(answer.headers.get('upload-offset')).toBe(String(offset));
    }
    expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
    expect((await hub.keys()).filter((key) => key.startsWith('staging/'))).toEqual([]);
  });

  test('a body of unknown length is taken, through one buffer', async () => {
    const { bytes, sha256 } = fileOf(20 * MIB + 5);
    const location = await hub.create('alice/one', FIELDS, bytes.length);
    const stream = new ReadableStream<Uint8Array>({
      start(to) {
        for (let at = 0; at < bytes.length; at += MIB)
          to.enqueue(new Uint8Array(bytes.subarray(at, at + MIB)));
        to.close();
      },
    });
    const answer = await hub.patch(location, 0, stream);
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(answer.headers.get('larder-sha256')).toBe(sha256);
    expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  });

  test('creation with upload, also of an empty file', async () => {
    const { bytes, sha256 } = fileOf(100_000);
    const send = (body: Buffer) =>
      hub.tus('POST', '/api/models/alice/one/tus', {
        headers: {
          'upload-length': String(body.length),
          'upload-metadata': metadataOf(FIELDS),
          'content-type': 'application/offset+octet-stream',
        },
        body,
      });
    const answer = await send(bytes);
    expect([answer.status, await answer.text()]).toEqual([201, '']);
    expect(answer.headers.get('upload-offset')).toBe('100000');
    expect(answer.headers.get('larder-sha256')).toBe(sha256);
    const empty = await hub.create('alice/one', FIELDS, 0);
    const done = await hub.tus('HEAD', empty);
    expect(done.headers.get('larder-sha256')).toBe(sha256Of(Buffer.alloc(0)));
    expect((await hub.read('alice/one', sha256Of(Buffer.alloc(0))))?.length).toBe(0);
  });

  test('DELETE ends an upload and frees its bytes; afterwards it is gone', async () => {
    const before = await hub.keys();
    const { bytes } = fileOf(20 * MIB);
    const location = await hub.create('alice/one', FIELDS, 30 * MIB);
    expect((await hub.patch(location, 0, bytes)).status).toBe(204);
    const answer = await hub.tus('DELETE', location);
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    for (const method of ['HEAD', 'DELETE']) expect((await hub.tus(method, location)).status).toBe(410);
    expect((await hub.patch(location, 20 * MIB, bytes)).status).toBe(410);
    expect(await hub.keys()).toEqual(before);
  });

  test('clients that can only POST override the method', async () => {
    const { bytes, sha256 } = fileOf(1000);
    const location = await hub.create('alice/one', FIELDS, bytes.length);
    const answer = await hub.tus('POST', location, {
      body: bytes,
      headers: {
        'x-http-method-override': 'PATCH',
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
      },
    });
    expect([answer.status, answer.headers.get('larder-sha256')]).toEqual([204, sha256]);
  });
});
