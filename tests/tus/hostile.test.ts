import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileOf, metadataOf, sha256Of, startTusHub, type TusHub, tokenOf } from './tus-hub.ts';

const MIB = 2 ** 20;
const FIELDS = { path: 'model.bin', revision: 'main' };
let hub: TusHub;
beforeAll(async () => {
  hub = await startTusHub({ LARDER_OPEN_UPLOADS: '40', LARDER_GUEST_UPLOAD_BYTES: '1000000' });
});
afterAll(() => hub.close());

const offsetOf = async (location: string) =>
  Number((await hub.tus('HEAD', location)).headers.get('upload-offset'));
const begin = (headers: Record<string, string>, asked: { user?: string | null; repo?: string } = {}) =>
  hub.tus('POST', `/api/models/${asked.repo ?? 'alice/one'}/tus`, { user: asked.user ?? 'alice', headers });
const refusal = async (answer: Response) => ({
  status: answer.status,
  error: ((await answer.json()) as { error: string }).error,
});

/** Sends exactly these bytes on a connection of its own and returns what comes back. */
async function raw(head: string, body: Buffer, cut: boolean): Promise<string> {
  const { port } = new URL(hub.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write(head);
    socket.write(body, () => {
      if (cut) setTimeout(() => socket.destroy(), 50);
    });
    setTimeout(() => socket.destroy(), 3_000);
  });
}

describe('what a client says about an upload is refused before a byte is stored', () => {
  test.each([
    ['-1'],
    ['NaN'],
    ['1e9'],
    ['0x10'],
    ['9223372036854775808'],
    ['1.5'],
    [''],
    ['00'],
    ['18014398509481984'],
  ])('Upload-Length %j', async (length) => {
    const answer = await begin({ 'upload-length': length, 'upload-metadata': metadataOf(FIELDS) });
    expect([400, 413]).toContain(answer.status);
    expect(answer.headers.get('tus-resumable')).toBe('1.0.0');
    expect(((await answer.json()) as { error: string }).error).toBeTruthy();
  });

  test('no length, a deferred one, and concatenation are refused by name', async () => {
    const metadata = { 'upload-metadata': metadataOf(FIELDS) };
    expect((await begin(metadata)).status).toBe(400);
    expect((await begin({ ...metadata, 'upload-defer-length': '1' })).status).toBe(501);
    expect(
      (await begin({ ...metadata, 'upload-length': '1', 'upload-concat': 'final;/api/models/bob/one/tus/x' }))
        .status,
    ).toBe(501);
  });

  test('6 TB are too much, and so are more than 40 unfinished uploads', async () => {
    const metadata = { 'upload-metadata': metadataOf(FIELDS) };
    const big = await refusal(await begin({ ...metadata, 'upload-length': String(6e12) }));
    expect(big).toMatchObject({ status: 413, error: expect.stringContaining('5 TiB') });
    const locations: string[] = [];
    for (;;) {
      const answer = await begin({ ...metadata, 'upload-length': '5' });
      if (answer.status !== 201) {
        expect(await refusal(answer)).toMatchObject({
          status: 429,
          error: expect.stringContaining('40 unfinished'),
        });
        break;
      }
      locations.push(answer.headers.get('location') as string);
    }
    expect(locations.length).toBeLessThanOrEqual(40);
    for (const location of locations) expect((await hub.tus('DELETE', location)).status).toBe(204);
    expect((await begin({ ...metadata, 'upload-length': '5' })).status).toBe(201);
  });

  test.each([
    ['../etc/passwd', 422],
    ['a//b', 422],
    ['.git/config', 422],
    ['', 422],
    ['x'.repeat(2000), 422],
    ['line\nbreak', 201],
  ])('path %j', async (path, status) => {
    const answer = await begin({ 'upload-length': '5', 'upload-metadata': metadataOf({ ...FIELDS, path }) });
    expect(answer.status).toBe(status);
  });

  test.each([
    ['path !!!'],
    ['path'],
    ['path YQ==,path Yg=='],
    [' YQ=='],
    [','],
    [`path ${Buffer.from('a\r\nset-cookie: x=1').toString('base64')},,`],
    [`sha256 ${Buffer.from('zz').toString('base64')},path YQ==`],
  ])('Upload-Metadata %j', async (value) => {
    const answer = await begin({ 'upload-length': '5', 'upload-metadata': value });
    expect([400, 422]).toContain(answer.status);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  test('metadata with CR and LF in a value comes back as it was sent, never as a header', async () => {
    const value = `${metadataOf(FIELDS)},name ${Buffer.from('a\r\nset-cookie: x=1').toString('base64')}`;
    const answer = await begin({ 'upload-length': '5', 'upload-metadata': value });
    const head = await hub.tus('HEAD', answer.headers.get('location') as string);
    expect(head.headers.get('upload-metadata')).toBe(value);
    expect(head.headers.get('set-cookie')).toBeNull();
  });

  test('a version of tus that there is not, and no version, are answered with the one there is', async () => {
    for (const version of ['0.2.2', '']) {
      const answer = await begin({ 'tus-resumable': version, 'upload-length': '5' });
      expect([answer.status, answer.headers.get('tus-version')]).toEqual([412, '1.0.0']);
    }
  });

  test('a revision that is not there, is a tag, or is protected', async () => {
    const at = async (fields: Record<string, string>) =>
      refusal(await begin({ 'upload-length': '5', 'upload-metadata': metadataOf({ ...FIELDS, ...fields }) }));
    expect(await at({ revision: 'nowhere' })).toMatchObject({ status: 404 });
    expect(await at({ revision: 'refs/pr/9' })).toMatchObject({ status: 404 });
    await hub.post('/api/models/alice/one/branch/locked', {});
    const rule = { pattern: 'locked', requirePullRequest: true };
    expect((await hub.post('/api/models/alice/one/protected-branches', rule)).status).toBe(200);
    expect(await at({ revision: 'locked' })).toMatchObject({
      status: 403,
      error: expect.stringContaining('pull requests only'),
    });
    const open = {
      'upload-length': '5',
      'upload-metadata': metadataOf({ ...FIELDS, revision: 'locked', createPr: 'true' }),
    };
    expect((await begin(open)).status).toBe(201);
  });
});

describe('offsets', () => {
  test.each([
    ['-1'],
    ['NaN'],
    ['1e9'],
    ['0x10'],
    ['9223372036854775808'],
    [''],
    ['1.5'],
    ['+0'],
    ['5'],
    ['1000'],
  ])('Upload-Offset %j moves nothing', async (offset) => {
    const location = await hub.create('alice/one', FIELDS, 10);
    const answer = await hub.patch(location, offset, Buffer.from('01234'));
    expect([400, 409]).toContain(answer.status);
    expect(await offsetOf(location)).toBe(0);
    await hub.tus('DELETE', location);
  });

  test('a repeated piece, one without offset, of another type, and a changed length are refused', async () => {
    const location = await hub.create('alice/one', FIELDS, 10);
    expect((await hub.patch(location, 0, Buffer.from('01234'))).status).toBe(204);
    expect((await hub.patch(location, 0, Buffer.from('01234'))).status).toBe(409);
    const type = { 'content-type': 'application/octet-stream' };
    expect((await hub.patch(location, 5, Buffer.from('56789'), { headers: type })).status).toBe(400);
    const none = {
      headers: { 'content-type': 'application/offset+octet-stream' },
      body: Buffer.from('56789'),
    };
    expect((await hub.tus('PATCH', location, none)).status).toBe(400);
    const length = { 'upload-length': '20' };
    expect([400, 501]).toContain(
      (await hub.patch(location, 5, Buffer.from('56789'), { headers: length })).status,
    );
    expect(await offsetOf(location)).toBe(5);
    expect((await hub.patch(location, 5, Buffer.from('56789'))).headers.get('larder-sha256')).toBe(
      sha256Of(Buffer.from('0123456789')),
    );
    expect((await hub.patch(location, 10, Buffer.alloc(0))).headers.get('larder-sha256')).toBeTruthy(); // said twice
    expect([409, 413]).toContain((await hub.patch(location, 10, Buffer.from('x'))).status);
  });

  test('one byte more is refused, with and without a length, and what was there stays', async () => {
    const location = await hub.create('alice/one', FIELDS, 10);
    expect((await hub.patch(location, 0, Buffer.from('0123456789+'))).status).toBe(413);
    const chunked = new ReadableStream<Uint8Array>({
      start(to) {
        to.enqueue(new TextEncoder().encode('0123456789+'));
        to.close();
      },
    });
    expect((await hub.patch(location, 0, chunked)).status).toBe(413);
    expect(await offsetOf(location)).toBe(0);
  });

  test('a body that breaks off leaves all that came of it, and no byte of that is sent again', async () => {
    const { bytes, sha256 } = fileOf(40 * MIB);
    const location = await hub.create('alice/one', { ...FIELDS, sha256 }, bytes.length);
    const head = `PATCH ${new URL(location).pathname} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf('alice')}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: ${bytes.length}\r\n\r\n`;
    await raw(head, bytes.subarray(0, 25 * MIB), true);
    let offset = 0;
    for (let tries = 0; tries < 50 && offset < 25 * MIB; tries++, await sleep(50))
      offset = await offsetOf(location);
    expect(offset).toBe(25 * MIB);
    const answer = await hub.patch(location, offset, bytes.subarray(offset));
    expect([answer.status, answer.headers.get('larder-sha256')]).toEqual([204, sha256]);
    expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  });

  test('a length and chunks together, and two lengths, are refused by the connection', async () => {
    const location = await hub.create('alice/one', FIELDS, 10);
    const head = (more: string) =>
      `PATCH ${new URL(location).pathname} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf('alice')}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\n${more}\r\n\r\n`;
    for (const more of [
      'content-length: 10\r\ntransfer-encoding: chunked',
      'content-length: 10\r\ncontent-length: 5',
    ])
      expect(await raw(head(more), Buffer.from('0123456789'), false)).toMatch(/^HTTP\/1.1 400 /);
    expect(await offsetOf(location)).toBe(0);
  });
});

describe('an upload belongs to its user and its repo', () => {
  test('others, and the same user by another repo, are told that there is no such upload', async () => {
    const location = await hub.create('alice/two', FIELDS, 10);
    const id = location.split('/').at(-1) as string;
    const places = [
      [location, 'bob', 404],
      [`/api/models/alice/one/tus/${id}`, 'alice', 404],
      [`/api/models/bob/one/tus/${id}`, 'bob', 404],
      [`/api/models/alice/one/tus/${id}`, 'bob', 404],
      [location, null, 404],
      ['/api/models/alice/two/tus/0123456789abcdef01234567', 'alice', 404],
      ['/api/models/alice/two/tus/..%2f..%2fx', 'alice', 404],
    ] as const;
    for (const [place, user, status] of places) {
      for (const method of ['HEAD', 'DELETE'])
        expect((await hub.tus(method, place, { user })).status).toBe(status);
      expect((await hub.patch(place, 0, Buffer.from('01234'), { user })).status).toBe(status);
    }
    expect(await offsetOf(location)).toBe(0);
  });

  test('strangers, readers and nobody begin none; guests begin within their limit, for a pull request', async () => {
    const headers = (fields: Record<string, string>, length = 5) => ({
      'upload-length': String(length),
      'upload-metadata': metadataOf({ ...FIELDS, ...fields }),
    });
    expect((await begin(headers({}), { user: 'bob' })).status).toBe(404);
    expect((await begin(headers({}), { user: 'bob', repo: 'alice/two' })).status).toBe(403);
    expect(
      (await hub.tus('POST', '/api/models/alice/two/tus', { user: null, headers: headers({}) })).status,
    ).toBe(401);
    expect((await begin(headers({ createPr: 'true' }), { user: 'bob', repo: 'alice/two' })).status).toBe(201);
    const tooMuch = headers({ createPr: 'true' }, 1_000_001);
    expect((await begin(tooMuch, { user: 'bob', repo: 'alice/two' })).status).toBe(403);
  });

  test('another origin with a cookie is refused like everywhere', async () => {
    const answer = await hub.tus('OPTIONS', '/api/models/alice/one/tus', {
      user: null,
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

describe('claims', () => {
  test('bytes that are not what their hash said are refused and removed, and the upload is over', async () => {
    const before = await hub.keys();
    for (const size of [1000, 20 * MIB]) {
      const { bytes, sha256 } = fileOf(size);
      const location = await hub.create('alice/one', { ...FIELDS, sha256 }, size);
      const other = Buffer.from(bytes);
      other[size - 1] = (other[size - 1] as number) ^ 1;
      const answer = await refusal(await hub.patch(location, 0, other));
      expect(answer).toMatchObject({ status: 422, error: expect.stringContaining('nothing was stored') });
      expect((await hub.tus('HEAD', location)).status).toBe(410);
      expect(await hub.read('alice/one', sha256)).toBeNull();
      expect(await hub.read('alice/one', sha256Of(other))).toBeNull();
    }
    expect(await hub.keys()).toEqual(before);
  });

  test('claiming a hash that others hold gives nothing: every byte must come', async () => {
    const { bytes, sha256 } = fileOf(5000);
    const theirs = await hub.create('bob/one', FIELDS, bytes.length, { user: 'bob' });
    expect((await hub.patch(theirs, 0, bytes, { user: 'bob' })).status).toBe(204);
    const mine = await hub.create('alice/one', { ...FIELDS, sha256 }, bytes.length);
    expect(await offsetOf(mine)).toBe(0);
    expect(await hub.read('alice/one', sha256)).toBeNull();
  });

  test('of two writers at once one wins, whatever they send', async () => {
    const { bytes, sha256 } = fileOf(40 * MIB);
    const location = await hub.create('alice/one', { ...FIELDS, sha256 }, bytes.length);
    const answers = await Promise.all(
      [0, 1, 2, 3].map(() => hub.patch(location, 0, bytes).catch(() => null)),
    );
    const statuses = answers.flatMap((answer) => (answer ? [answer.status] : []));
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.every((status) => [204, 409, 423].includes(status))).toBe(true);
    expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  });
});
