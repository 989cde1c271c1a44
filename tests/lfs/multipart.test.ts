import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signLink } from '#lib/repos/files/lfs/links.ts';
import { piecesOf } from '#lib/storage/pieces.ts';
import {
  actionOf,
  fileOf,
  type LfsHub,
  partsOf,
  postJson,
  randomFile,
  type SentPart,
  sendPart,
  startLfsHub,
} from './lfs-hub.ts';
import { describeMultipartUploads } from './multipart-cases.ts';

describeMultipartUploads('local store', () => startLfsHub());

describe('parts through the hub', () => {
  let hub: LfsHub;
  beforeAll(async () => {
    hub = await startLfsHub();
  });
  afterAll(() => hub?.close());
  const file = randomFile((64 << 20) + 5);

  async function begin() {
    const answer = await hub.batch('alice/one', 'alice', 'upload', [file], ['basic', 'multipart']);
    const upload = actionOf(answer, 'upload');
    return { upload, ...partsOf(upload) };
  }

  it('are refused when they have another length than the plan says', async () => {
    const { urls } = await begin();
    for (const length of [4, 6, 0]) {
      const answer = await fetch(urls[1] as string, { method: 'PUT', body: new Uint8Array(length) });
      expect(answer.status).toBe(422);
    }
  });

  it('are refused after the link expired or was altered, as completions are', async () => {
    const { upload, urls } = await begin();
    const past = { ...hub.app, clock: { now: () => Date.now() - 7200_000 } };
    const repoId = hub.repoIds['alice/one'];
    const stale = signLink(past, 'part', { uploadId: 'x', partNumber: 2, sizeBytes: 5 }, 3600);
    const body = new Uint8Array(5);
    expect((await fetch(`${hub.url}/api/lfs/parts/${stale}`, { method: 'PUT', body })).status).toBe(403);
    expect((await fetch(`${urls[1]}x`, { method: 'PUT', body })).status).toBe(403);
    const grant = { repoId, userId: 'u', sha256: file.oid, sizeBytes: file.size };
    const oldPut = signLink(past, 'put', grant, 3600);
    expect((await fetch(`${hub.url}/api/lfs/objects/${oldPut}`, { method: 'PUT', body })).status).toBe(403);
    const oldCompletion = signLink(past, 'complete', { ...grant, uploadId: 'x' }, 3600);
    const answer = await postJson(`${hub.url}/api/lfs/complete/${oldCompletion}`, {
      oid: file.oid,
      parts: [],
    });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('expired');
    expect((await postJson(`${upload.href}x`, { oid: file.oid, parts: [] })).status).toBe(403);
  });

  it('are not read back when they came one after the other, and are whenever they did not', async () => {
    const reads = vi.spyOn(hub.app.store, 'pieces');
    const forged = Buffer.alloc(5, 1);
    const cases: [
      readsBack: number,
      send: (put: (n: number, bytes?: Buffer) => Promise<SentPart>) => Promise<SentPart[]>,
    ][] = [
      [0, async (put) => [await put(1), await put(2)]],
      [1, async (put) => [await put(2), await put(1)]],
      [1, async (put) => Promise.all([put(1), put(2)])],
      // sent again: the same bytes under another etag
      [1, async (put) => [await put(1), await put(2), await put(1)].slice(1)],
      [0, async (put) => [await put(2), await put(1), await put(2)].slice(1)],
      // The etags name what is joined, not what was hashed.
      [1, async (put) => [await put(1), await put(2, forged), await put(2)].filter((_, i) => i !== 1)],
    ];
    for (const [i, [readsBack, send]] of cases.entries()) {
      const other = fileOf(Buffer.concat([file.bytes.subarray(1), Buffer.from([i])]));
      const answer = await hub.batch('alice/one', 'alice', 'upload', [other], ['basic', 'multipart']);
      const upload = actionOf(answer, 'upload');
      const { urls, chunkSize } = partsOf(upload);
      const put = (n: number, bytes = other.bytes.subarray((n - 1) * chunkSize, n * chunkSize)) =>
        sendPart(urls[n - 1] as string, n, bytes);
      const parts = await send(put);
      reads.mockClear();
      expect((await postJson(upload.href, { oid: other.oid, parts })).status, `case ${i}`).toBe(200);
      expect(reads.mock.calls.length, `case ${i}`).toBe(readsBack);
    }
    reads.mockRestore();
  });

  it('that came one after the other with other bytes are refused, and so are other bytes for a part that was hashed', async () => {
    for (const first of [Buffer.alloc(5), file.bytes.subarray(64 << 20)]) {
      const { upload, urls, chunkSize } = await begin();
      const parts = [
        await sendPart(urls[0] as string, 1, file.bytes.subarray(0, chunkSize)),
        await sendPart(urls[1] as string, 2, first),
      ];
      if (first.equals(file.bytes.subarray(64 << 20)))
        parts[1] = await sendPart(urls[1] as string, 2, Buffer.alloc(5));
      const answer = await postJson(upload.href, { oid: file.oid, parts });
      expect(answer.status).toBe(422);
      expect(await answer.text()).toContain('nothing was stored');
    }
  });

  it('are not thrown away because the store misread them once', async () => {
    const other = randomFile((64 << 20) + 5);
    const answer = await hub.batch('alice/one', 'alice', 'upload', [other], ['basic', 'multipart']);
    const upload = actionOf(answer, 'upload');
    const { urls, chunkSize } = partsOf(upload);
    const put = (n: number) =>
      sendPart(urls[n - 1] as string, n, other.bytes.subarray((n - 1) * chunkSize, n * chunkSize));
    const parts = [await put(2), await put(1)];
    async function* misread() {
      yield Buffer.alloc(other.size);
    }
    const reads = vi.spyOn(hub.app.store, 'pieces');
    reads.mockImplementationOnce(async () => piecesOf(misread()));
    expect((await postJson(upload.href, { oid: other.oid, parts })).status).toBe(200);
    expect(reads.mock.calls.length).toBe(2);
    reads.mockRestore();
    expect((await hub.held('alice/one', other.oid))?.sizeBytes).toBe(other.size);
  });

  it('can be sent to another process of the hub than the one that answered the batch', async () => {
    const { upload, urls, chunkSize } = await begin();
    const parts = [];
    for (const [i, url] of urls.entries()) {
      const body = new Uint8Array(file.bytes.subarray(i * chunkSize, (i + 1) * chunkSize));
      // The token alone says everything: no memory of the process is needed.
      const headers = { origin: 'https://app.example.org' }; // a browser reads the etag
      const answer = await fetch(url, { method: 'PUT', body, headers });
      expect(answer.headers.get('access-control-expose-headers')).toContain('ETag');
      parts.push({ partNumber: i + 1, etag: answer.headers.get('etag') });
    }
    expect((await postJson(upload.href, { oid: file.oid, parts })).status).toBe(200);
    const { rows } = await hub.app.db.query<{ n: number }>(
      `SELECT count(*) AS n FROM audit_event WHERE action = 'repo.upload' AND details->>'sha256' = $1`,
      [file.oid],
    );
    expect(rows[0]?.n).toBe(1);
  });
});
