import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM } from '#lib/identity/principal.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { actionOf, fileOf, type LfsHub, postJson, randomFile, startLfsHub, tokenOf } from './lfs-hub.ts';

let hub: LfsHub;
beforeAll(async () => {
  hub = await startLfsHub();
});
afterAll(() => hub?.close());

const put = (url: string, body: Buffer) => fetch(url, { method: 'PUT', body: new Uint8Array(body) });

async function upload(repo: string, user: string, file = randomFile(100_000)) {
  const answer = await hub.batch(repo, user, 'upload', [file]);
  expect((await put(actionOf(answer, 'upload').href, file.bytes)).status).toBe(200);
  return file;
}

describe('basic upload', () => {
  it('stores a file that a PUT without credentials brings, and verify confirms it', async () => {
    const file = randomFile(300_000);
    const answer = await hub.batch('alice/one', 'alice', 'upload', [file]);
    expect(answer.transfer).toBe('basic');
    expect(answer.objects[0]).toMatchObject({ oid: file.oid, size: file.size, authenticated: true });
    expect((await put(actionOf(answer, 'upload').href, file.bytes)).status).toBe(200);
    const verify = await postJson(
      actionOf(answer, 'verify').href,
      { oid: file.oid, size: file.size },
      { authorization: `Bearer ${tokenOf('alice')}` },
    );
    expect(verify.status).toBe(200);
    expect(await hub.held('alice/one', file.oid)).toMatchObject({ sizeBytes: file.size, xet: null });
  });

  it('needs no action for what this repo holds already', async () => {
    const file = await upload('alice/one', 'alice');
    const again = await hub.batch('alice/one', 'alice', 'upload', [file]);
    expect(again.objects).toEqual([{ oid: file.oid, size: file.size }]);
  });

  it('asks for the bytes again in another repo: knowing a hash is not owning the bytes', async () => {
    const file = await upload('bob/one', 'bob');
    for (const repo of ['alice/one', 'alice/two']) {
      const answer = await hub.batch(repo, 'alice', 'upload', [file]);
      expect(answer.objects[0]?.actions?.upload).toBeDefined();
    }
    expect(await hub.held('alice/one', file.oid)).toBeUndefined();
  });

  it('takes a file of no bytes', async () => {
    const file = await upload('alice/one', 'alice', fileOf(Buffer.alloc(0)));
    expect((await hub.held('alice/one', file.oid))?.sizeBytes).toBe(0);
  });

  it('may be repeated, also at the same time, and keeps one object', async () => {
    const file = randomFile(50_000);
    const before = (await hub.keys()).length;
    const answer = await hub.batch('alice/one', 'alice', 'upload', [file]);
    const { href } = actionOf(answer, 'upload');
    const statuses = await Promise.all([1, 2, 3].map(async () => (await put(href, file.bytes)).status));
    expect(statuses).toEqual([200, 200, 200]);
    expect((await put(href, file.bytes)).status).toBe(200);
    expect((await hub.keys()).length).toBe(before + 1);
  });

  it('refuses other bytes of the same length, says both hashes and keeps nothing', async () => {
    const file = randomFile(10_000);
    const before = await hub.keys();
    const wrong = Buffer.from(file.bytes);
    wrong.writeUInt8(wrong.readUInt8(77) ^ 1, 77);
    const answer = await put(
      actionOf(await hub.batch('alice/one', 'alice', 'upload', [file]), 'upload').href,
      wrong,
    );
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/vnd.git-lfs+json');
    const body = (await answer.json()) as { message: string; request_id: string };
    expect(body.message).toContain(file.oid);
    expect(body.message).toContain(fileOf(wrong).oid);
    expect(body.request_id).toBe(answer.headers.get('x-request-id'));
    expect(await hub.held('alice/one', file.oid)).toBeUndefined();
    expect(await hub.keys()).toEqual(before);
  });

  it('refuses a body of another length before it reads it', async () => {
    const file = randomFile(10_000);
    const { href } = actionOf(await hub.batch('alice/one', 'alice', 'upload', [file]), 'upload');
    for (const bytes of [
      file.bytes.subarray(1),
      Buffer.concat([file.bytes, Buffer.from('x')]),
      Buffer.alloc(0),
    ]) {
      const answer = await put(href, bytes);
      expect(answer.status).toBe(422);
      expect(await answer.text()).toContain('10000 were announced');
    }
    expect(await hub.held('alice/one', file.oid)).toBeUndefined();
  });

  it('refuses a chunked body that is too short or too long, and keeps nothing', async () => {
    const file = randomFile(10_000);
    const before = await hub.keys();
    const { href } = actionOf(await hub.batch('alice/one', 'alice', 'upload', [file]), 'upload');
    for (const bytes of [file.bytes.subarray(1), Buffer.concat([file.bytes, Buffer.from('x')])]) {
      const status = await new Promise((resolve, reject) => {
        const req = request(href, { method: 'PUT', headers: { 'transfer-encoding': 'chunked' } }, (res) => {
          res.resume();
          resolve(res.statusCode);
        });
        req.on('error', reject);
        req.end(bytes);
      });
      expect(status).toBe(400);
    }
    expect(await hub.keys()).toEqual(before);
  });

  it('keeps nothing of a body that breaks off', async () => {
    const file = randomFile(1_000_000);
    const before = await hub.keys();
    const { href } = actionOf(await hub.batch('alice/one', 'alice', 'upload', [file]), 'upload');
    await new Promise<void>((resolve) => {
      const req = request(href, { method: 'PUT', headers: { 'content-length': file.size } });
      req.on('error', () => resolve());
      req.write(file.bytes.subarray(0, 400_000), () => setTimeout(() => req.destroy(new Error('gone')), 50));
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await hub.held('alice/one', file.oid)).toBeUndefined();
    expect(await hub.keys()).toEqual(before);
  });
});

describe('links', () => {
  it('do one thing: a link for one operation is refused for every other', async () => {
    const file = randomFile(1000);
    const answer = await hub.batch('alice/one', 'alice', 'upload', [file]);
    const putToken = actionOf(answer, 'upload').href.split('/').at(-1) as string;
    const verifyToken = actionOf(answer, 'verify').href.split('/').at(-1) as string;
    expect((await put(`${hub.url}/api/lfs/objects/${verifyToken}`, file.bytes)).status).toBe(403);
    expect((await put(`${hub.url}/api/lfs/parts/${putToken}`, file.bytes)).status).toBe(403);
    expect((await fetch(`${hub.url}/api/lfs/objects/${putToken}`)).status).toBe(403);
    expect(
      (await postJson(`${hub.url}/api/lfs/complete/${putToken}`, { oid: file.oid, parts: [] })).status,
    ).toBe(403);
    expect(await hub.held('alice/one', file.oid)).toBeUndefined();
  });

  it('are for one oid: the bytes of another are refused, and a changed token too', async () => {
    const [one, other] = [randomFile(1000), randomFile(1000)];
    const { href } = actionOf(await hub.batch('alice/one', 'alice', 'upload', [one]), 'upload');
    expect((await put(href, other.bytes)).status).toBe(422);
    const [body, mac] = (href.split('/').at(-1) as string).split('.') as [string, string];
    const payload = JSON.parse(Buffer.from(body, 'base64url').toString());
    payload.p.sha256 = other.oid;
    const forged = Buffer.from(JSON.stringify(payload)).toString('base64url');
    expect((await put(`${hub.url}/api/lfs/objects/${forged}.${mac}`, other.bytes)).status).toBe(403);
    expect((await put(`${hub.url}/api/lfs/objects/nonsense`, other.bytes)).status).toBe(403);
    expect(await hub.held('alice/one', other.oid)).toBeUndefined();
  });

  it('verify answers 404 before the upload, and refuses another oid and another size', async () => {
    const file = randomFile(1000);
    const answer = await hub.batch('alice/one', 'alice', 'upload', [file]);
    const { href } = actionOf(answer, 'verify');
    expect((await postJson(href, { oid: file.oid, size: file.size })).status).toBe(404);
    await put(actionOf(answer, 'upload').href, file.bytes);
    expect((await postJson(href, { oid: file.oid, size: file.size + 1 })).status).toBe(422);
    expect((await postJson(href, { oid: randomFile(3).oid, size: file.size })).status).toBe(400);
    expect((await postJson(href, { oid: '../x', size: file.size })).status).toBe(400);
    expect((await postJson(href, { oid: file.oid, size: file.size })).status).toBe(200);
  });

  it('of a repo that was deleted meanwhile give and take nothing', async () => {
    const ctx = hub.ctxFor(SYSTEM);
    await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'gone', visibility: 'public' });
    const stored = await upload('alice/gone', 'alice');
    const file = randomFile(1000);
    const before = await hub.keys();
    const up = actionOf(await hub.batch('alice/gone', 'alice', 'upload', [file]), 'upload').href;
    const down = actionOf(await hub.batch('alice/gone', 'alice', 'download', [stored]), 'download').href;
    await deleteRepo(ctx, { type: 'model', namespace: 'alice', name: 'gone' });
    expect((await put(up, file.bytes)).status).toBe(404);
    expect((await fetch(down)).status).toBe(404);
    expect((await hub.keys()).filter((key) => !before.includes(key))).toEqual([]);
  });
});

describe('batch', () => {
  it('refuses who may not write with 403, who may not read with 404, and nobody with 401', async () => {
    const ref = { name: 'refs/heads/main' };
    const body = { operation: 'upload', objects: [{ oid: randomFile(1).oid, size: 1 }], ref };
    expect((await hub.post('alice/two', 'bob', body)).status).toBe(403);
    expect((await hub.post('alice/one', 'bob', body)).status).toBe(404);
    expect((await hub.post('alice/none', 'alice', body)).status).toBe(404);
    const anonymous = await hub.post('alice/two', null, body);
    expect(anonymous.status).toBe(401);
    expect(anonymous.headers.get('lfs-authenticate')).toMatch(/^Basic/);
    expect((await hub.post('alice/one', null, { ...body, operation: 'download' })).status).toBe(401);
  });

  it('answers each object by itself: a bad oid or size spoils only its own', async () => {
    const good = randomFile(10);
    const answer = await hub.batch('alice/one', 'alice', 'upload', [
      { oid: 'zz', size: 1 },
      { oid: good.oid.toUpperCase(), size: 10 },
      { oid: randomFile(1).oid, size: -1 },
      { oid: randomFile(1).oid, size: 1.5 },
      { oid: randomFile(1).oid, size: 2 ** 60 },
      good,
    ]);
    expect(answer.objects.map((o) => o.error?.code ?? 'ok')).toEqual([422, 422, 422, 422, 422, 'ok']);
  });

  it('refuses a size that is not that of the object it holds', async () => {
    const file = await upload('alice/one', 'alice');
    const answer = await hub.batch('alice/one', 'alice', 'upload', [{ oid: file.oid, size: file.size + 1 }]);
    expect(answer.objects[0]?.error?.code).toBe(422);
  });

  it('takes sha256 by both of its names and no other hash', async () => {
    for (const [hash_algo, status] of [
      ['sha256', 200],
      ['sha_256', 200],
      ['sha1', 422],
    ] as const) {
      const body = { operation: 'upload', objects: [], hash_algo };
      expect((await hub.post('alice/one', 'alice', body)).status).toBe(status);
    }
  });

  it('names what is wrong with a body that is no batch', async () => {
    for (const body of [
      {},
      { operation: 'delete', objects: [] },
      { operation: 'upload', objects: [{ oid: 1 }] },
      [],
    ])
      expect((await hub.post('alice/one', 'alice', body)).status).toBe(400);
    const many = Array.from({ length: 1001 }, () => ({ oid: randomFile(1).oid, size: 1 }));
    expect((await hub.post('alice/one', 'alice', { operation: 'upload', objects: many })).status).toBe(413);
  });

  it('works without .git and for datasets', async () => {
    const ctx = hub.ctxFor(SYSTEM);
    await createRepo(ctx, { type: 'dataset', namespace: 'alice', name: 'one', visibility: 'public' });
    const body = { operation: 'download', objects: [{ oid: randomFile(1).oid, size: 1 }] };
    for (const path of ['alice/one', 'datasets/alice/one.git', 'datasets/alice/one']) {
      const url = `${hub.url}/${path}/info/lfs/objects/batch`;
      expect((await postJson(url, body, { authorization: `Bearer ${tokenOf('alice')}` })).status).toBe(200);
    }
  });

  it('answers with Basic credentials, the token as password, as git sends them', async () => {
    const basic = Buffer.from(`anyone:${tokenOf('alice')}`).toString('base64');
    const url = `${hub.url}/alice/one.git/info/lfs/objects/batch`;
    const answer = await postJson(
      url,
      { operation: 'upload', objects: [] },
      { authorization: `Basic ${basic}` },
    );
    expect(answer.status).toBe(200);
  });
});

describe('download', () => {
  it('gives the bytes, whole and by ranges, without credentials', async () => {
    const file = await upload('alice/one', 'alice', randomFile(2_500_000));
    const { href } = actionOf(await hub.batch('alice/one', 'alice', 'download', [file]), 'download');
    const whole = await fetch(href);
    expect(whole.headers.get('content-length')).toBe(String(file.size));
    expect(Buffer.from(await whole.arrayBuffer()).equals(file.bytes)).toBe(true);
    const part = await fetch(href, { headers: { range: 'bytes=1000-1999' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 1000-1999/${file.size}`);
    expect(Buffer.from(await part.arrayBuffer()).equals(file.bytes.subarray(1000, 2000))).toBe(true);
    const tail = await fetch(href, { headers: { range: 'bytes=-5' } });
    expect(Buffer.from(await tail.arrayBuffer()).equals(file.bytes.subarray(-5))).toBe(true);
    const beyond = await fetch(href, { headers: { range: `bytes=${file.size}-` } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe(`bytes */${file.size}`);
    const head = await fetch(href, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(file.size)]);
  });

  it('answers an object of a stranger exactly like one that does not exist', async () => {
    const secret = await upload('bob/one', 'bob');
    const unknown = { oid: randomFile(1).oid, size: secret.size };
    const answer = await hub.batch('alice/two', 'alice', 'download', [secret, unknown]);
    expect(answer.objects.map(({ error, actions }) => ({ error, actions }))).toEqual(
      Array.from({ length: 2 }, () => ({
        error: { code: 404, message: 'this repository has no such object' },
        actions: undefined,
      })),
    );
  });

  it('of a public repo needs no account', async () => {
    const file = await upload('alice/two', 'alice');
    const { href } = actionOf(await hub.batch('alice/two', null, 'download', [file]), 'download');
    expect(Buffer.from(await (await fetch(href)).arrayBuffer()).equals(file.bytes)).toBe(true);
  });

  it('of an object that lost bytes in the store is an error, never a short success', async () => {
    const file = await upload('alice/one', 'alice');
    const { href } = actionOf(await hub.batch('alice/one', 'alice', 'download', [file]), 'download');
    const key = (await hub.held('alice/one', file.oid))?.objectKey as string;
    await hub.app.store.put(key, file.bytes.subarray(0, 5000), { sizeBytes: 5000 });
    expect((await fetch(href)).status).toBe(500);
    await hub.app.store.delete([key]);
    expect((await fetch(href)).status).toBe(500);
  });
});
