import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileOf, startTusHub, type TusHub, tokenOf } from './tus-hub.ts';

interface Answer {
  transfer: string;
  refused: string | null;
  files: { path: string; how: string; reason?: string; maybeStored?: boolean; oid?: string }[];
}

let hub: TusHub;
beforeAll(async () => {
  hub = await startTusHub({ LARDER_GUEST_UPLOAD_BYTES: '1000000' });
});
afterAll(() => hub.close());

type File = { path: string; sizeBytes: number; sha256?: string; sample?: string };
async function ask(repo: string, files: File[], more: Record<string, unknown> = {}, user = 'alice') {
  const answer = await hub.post(
    `/api/models/${repo}/upload-preflight`,
    { revision: 'main', files, ...more },
    user,
  );
  return { status: answer.status, body: (await answer.json()) as Answer };
}
async function upload(repo: string, user: string, sizeBytes: number) {
  const file = fileOf(sizeBytes);
  const location = await hub.create(repo, { path: 'a.bin', revision: 'main' }, sizeBytes, { user });
  expect((await hub.patch(location, 0, file.bytes, { user })).status).toBe(204);
  return { ...file, sizeBytes };
}
async function commit(repo: string, files: object[]) {
  const lines = [{ key: 'header', value: { summary: 'fill' } }, ...files];
  const answer = await fetch(`${hub.url}/api/models/${repo}/commit/main`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenOf('alice')}`, 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
}
const howOf = ({ body }: { body: Answer }) => body.files.map((file) => file.how);

describe('preflight says before the first byte what an upload would meet', () => {
  test('small texts go inline, binaries and large files are uploaded, bad paths and sizes are refused by name', async () => {
    const { status, body } = await ask('alice/one', [
      { path: 'README.md', sizeBytes: 100, sample: Buffer.from('# text').toString('base64') },
      { path: 'small.dat', sizeBytes: 100, sample: Buffer.from([0, 1, 2]).toString('base64') },
      { path: 'model.safetensors', sizeBytes: 100 },
      { path: 'big.txt', sizeBytes: 10 * 2 ** 20 },
      { path: '../x', sizeBytes: 1 },
      { path: 'huge.bin', sizeBytes: 6e12 },
    ]);
    expect([status, body.transfer, body.refused]).toEqual([200, 'tus', null]);
    expect(body.files.map((file) => file.how)).toEqual([
      'inline',
      'upload',
      'upload',
      'upload',
      'refused',
      'refused',
    ]);
    expect(body.files[4]?.reason).toContain('..');
    expect(body.files[5]?.reason).toContain('5 TiB');
  });

  test('5,000 files in one question; 5,001 are refused', async () => {
    const files = Array.from({ length: 5001 }, (_, i) => ({
      path: `data/${i}.bin`,
      sizeBytes: 20 * 2 ** 20 + i,
    }));
    expect((await ask('alice/one', files)).status).toBe(400);
    const answer = await ask('alice/one', files.slice(0, 5000));
    expect(new Set(howOf(answer))).toEqual(new Set(['upload']));
  });

  test('without the right, the revision, or on a protected branch the whole is refused with the reason', async () => {
    const files = [{ path: 'a.bin', sizeBytes: 5 }];
    expect((await ask('alice/one', files, {}, 'bob')).status).toBe(404);
    expect((await hub.post('/api/models/alice/two/upload-preflight', { files }, null)).status).toBe(401);
    const reader = await ask('alice/two', files, {}, 'bob');
    expect(reader.body).toMatchObject({
      refused: expect.stringContaining('right'),
      files: [{ how: 'refused' }],
    });
    expect((await ask('alice/two', files, { createPr: true }, 'bob')).body.refused).toBeNull();
    const tooMuch = await ask('alice/two', [{ path: 'a.bin', sizeBytes: 2e6 }], { createPr: true }, 'bob');
    expect(tooMuch.body.refused).toContain('at most 1000000 bytes');
    expect((await ask('alice/one', files, { revision: 'nowhere' })).body.refused).toContain('nowhere');
  });

  test('what the caller may read is stored already; what others have is not told from what nobody has', async () => {
    const own = await upload('alice/one', 'alice', 70_001);
    const open = await upload('alice/two', 'alice', 70_002);
    const theirs = await upload('bob/one', 'bob', 70_003);
    const nobody = fileOf(70_004).sha256;
    const files = [
      { path: 'own.bin', sizeBytes: 70_001, sha256: own.sha256 },
      { path: 'open.bin', sizeBytes: 70_002, sha256: open.sha256 },
      { path: 'theirs.bin', sizeBytes: 70_003, sha256: theirs.sha256 },
      { path: 'nobody.bin', sizeBytes: 70_004, sha256: nobody },
      { path: 'liar.bin', sizeBytes: 70_005, sha256: own.sha256 },
    ];
    const mine = await ask('alice/one', files);
    expect(howOf(mine)).toEqual(['stored', 'stored', 'upload', 'upload', 'upload']);
    expect(mine.body.files.map((file) => file.maybeStored ?? null)).toEqual([
      null,
      null,
      false,
      false,
      false,
    ]);
    const bobs = await ask('bob/one', files, {}, 'bob');
    expect(howOf(bobs)).toEqual(['upload', 'stored', 'stored', 'upload', 'upload']);
    expect(bobs.body.files.map((file) => file.maybeStored ?? null)).toEqual([
      false,
      null,
      null,
      false,
      false,
    ]);
    const withoutHash = await ask('alice/one', [{ path: 'x.bin', sizeBytes: 70_001 }]);
    expect(withoutHash.body.files).toEqual([{ path: 'x.bin', how: 'upload', maybeStored: true }]);
  });

  test('links give the repo what the caller may read, and nothing else; again, the same', async () => {
    const open = await upload('alice/two', 'alice', 80_001);
    const theirs = await upload('bob/one', 'bob', 80_002);
    const files = [
      { sha256: open.sha256, sizeBytes: 80_001 },
      { sha256: theirs.sha256, sizeBytes: 80_002 },
      { sha256: fileOf(3).sha256, sizeBytes: 3 },
    ];
    const link = async (repo: string, user: string) =>
      (await hub.post(`/api/models/${repo}/upload-links`, { files }, user)).json();
    const expected = { linked: [open.sha256], missing: [theirs.sha256, files[2]?.sha256] };
    for (let time = 0; time < 2; time++) expect(await link('alice/one', 'alice')).toEqual(expected);
    expect((await hub.read('alice/one', open.sha256))?.equals(open.bytes)).toBe(true);
    expect(await hub.read('alice/one', theirs.sha256)).toBeNull();
    const wrongSize = [{ sha256: open.sha256, sizeBytes: 5 }];
    const answer = await hub.post('/api/models/bob/one/upload-links', { files: wrongSize }, 'bob');
    expect(await answer.json()).toEqual({ linked: [], missing: [open.sha256] });
    expect((await hub.post('/api/models/alice/two/upload-links', { files }, 'bob')).status).toBe(403);
    const guests = await hub.post('/api/models/alice/two/upload-links?create_pr=1', { files }, 'bob');
    expect(await guests.json()).toEqual({ linked: [open.sha256], missing: expected.missing });
    expect((await hub.post('/api/models/alice/one/upload-links', { files }, 'bob')).status).toBe(404);
  });

  test('what does not fit into the quota is refused before the first byte, here and when an upload begins', async () => {
    const full = await startTusHub({ LARDER_QUOTA_USER_BYTES: '1000' });
    const files = [{ path: 'a.bin', sizeBytes: 1001 }];
    const answer = await full.post('/api/models/alice/one/upload-preflight', { revision: 'main', files });
    expect(await answer.json()).toMatchObject({
      refused: expect.stringContaining('storage of alice is full'),
      room: { what: 'user', usedBytes: 0, limitBytes: 1000 },
    });
    const small = await full.post('/api/models/alice/one/upload-preflight', {
      files: [{ path: 'a.bin', sizeBytes: 999 }],
    });
    expect(await small.json()).toMatchObject({ refused: null });
    const begin = full.create('alice/one', { path: 'a.bin', revision: 'main' }, 1001);
    await expect(begin).rejects.toThrow('storage of alice is full');
    // Two that each fit, but not together: the second is refused at its end, and leaves nothing.
    const [one, two] = [fileOf(600), fileOf(600)];
    const locations = [
      await full.create('alice/one', { path: 'a.bin', revision: 'main' }, 600),
      await full.create('alice/one', { path: 'b.bin', revision: 'main' }, 600),
    ];
    expect((await full.patch(locations[0] as string, 0, one.bytes)).status).toBe(204);
    expect((await full.patch(locations[1] as string, 0, two.bytes)).status).toBe(413);
    expect((await full.tus('HEAD', locations[1] as string)).status).toBe(410);
    expect(await full.keys()).toHaveLength(1);
    await full.close();
  });

  test('unfinished uploads that would each fit are bounded together, until some are finished or cancelled', async () => {
    const small = await startTusHub({ LARDER_QUOTA_USER_BYTES: '1000', LARDER_UNNAMED_BYTES: '500' });
    const begin = (repo: string) => small.create(repo, { path: 'a.bin', revision: 'main' }, 600);
    const first = await begin('alice/one');
    await begin('alice/two');
    await expect(begin('alice/one')).rejects.toThrow(/413 .*unfinished uploads are of 1.20 kB/);
    expect((await small.tus('DELETE', first)).status).toBe(204);
    await begin('alice/one');
    await small.close();
  });

  test('what is at a path already is named, so that it is known whether it is replaced or the same', async () => {
    const large = await upload('alice/two', 'alice', 90_001);
    const text = Buffer.from('kept\n');
    await commit('alice/two', [
      { key: 'file', value: { path: 'notes/a.txt', content: text.toString() } },
      { key: 'lfsFile', value: { path: 'w.bin', algo: 'sha256', oid: large.sha256, size: 90_001 } },
    ]);
    const sample = text.toString('base64');
    const { body } = await ask('alice/two', [
      { path: 'notes/a.txt', sizeBytes: text.length, sample },
      { path: 'notes/b.txt', sizeBytes: text.length, sample },
      { path: 'w.bin', sizeBytes: 90_001, sha256: large.sha256 },
      { path: 'w.bin', sizeBytes: 5_000_000_000 },
    ]);
    const blob = createHash('sha1').update(`blob ${text.length}\0`).update(text).digest('hex');
    expect(body.files.map((file) => file.oid ?? null)).toEqual([blob, null, large.sha256, large.sha256]);
  });

  test('a folder or a file in the way, there or in the same upload, is found before the first byte', async () => {
    await commit('alice/two', [{ key: 'file', value: { path: 'way/deep/x.txt', content: 'x' } }]);
    const asked = ['way', 'way/deep/x.txt/y.bin', 'new', 'new/z.bin', 'way/deep/fine.bin'];
    const { body } = await ask(
      'alice/two',
      asked.map((path) => ({ path, sizeBytes: 20e6 })),
    );
    expect(howOf({ body })).toEqual(['refused', 'refused', 'upload', 'refused', 'upload']);
    expect(body.files[0]?.reason).toContain('it is a folder');
    expect(body.files[1]?.reason).toContain('is a file');
  });

  test('nothing is changed by asking', async () => {
    const { rows: before } = await hub.app.db.query('SELECT count(*) FROM repo_file');
    await ask('alice/one', [{ path: 'a.bin', sizeBytes: 80_001 }]);
    expect((await hub.app.db.query('SELECT count(*) FROM repo_file')).rows).toEqual(before);
  });
});
