import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import { SYSTEM } from '#lib/identity/principal.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { fileUrl } from '#lib/repos/files/file-url.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { linkFile } from '#lib/repos/files/link-file.ts';
import { openFile } from '#lib/repos/files/open-file.ts';
import { domainOf } from '#lib/repos/files/xet/db.ts';
import type { RepoFile } from '#lib/repos/types.ts';
import { makeUser } from '#tests/repos/people.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { fileOf } from './lfs-hub.ts';

let test: TestApp;
let one: RepoId;
let two: RepoId;
let userId: string;
let namespaceId: string;

beforeAll(async () => {
  test = await createTestApp({ env: { LOG_LEVEL: 'silent' } });
  const user = await makeUser(test.app.db, 'alice');
  userId = user.id;
  namespaceId = user.id;
  const make = (name: string) =>
    createRepo(test.ctxFor(SYSTEM), { type: 'model', namespace: 'alice', name, visibility: 'private' });
  one = (await make('one')).id;
  two = (await make('two')).id;
});
afterAll(() => test?.close());

const newSha = () => randomBytes(32).toString('hex') as Sha256;

async function object(sha256: Sha256, sizeBytes: number, state = 'live'): Promise<number> {
  const { rows } = await test.app.db.query<{ id: number }>(
    'INSERT INTO stored_object (key, size_bytes, sha256, state) VALUES ($1, $2, $3, $4) RETURNING id',
    [`blob/${newSha()}`, sizeBytes, Buffer.from(sha256, 'hex'), state],
  );
  return rows[0]?.id as number;
}

async function xetFile(
  sha256: Sha256,
  sizeBytes: number,
  state: 'unverified' | 'verified' | 'bad',
): Promise<number> {
  const domain = await domainOf(test.app.db, namespaceId);
  const { rows } = await test.app.db.query<{ id: number }>(
    `INSERT INTO xet_file (domain_id, hash, size_bytes, terms, sha256, sha256_state)
     VALUES ($1, $2, $3, '', $4, $5) RETURNING id`,
    [domain.id, randomBytes(32), sizeBytes, Buffer.from(sha256, 'hex'), state],
  );
  return rows[0]?.id as number;
}

const link = (
  repoId: RepoId,
  sha256: Sha256,
  more: { objectId?: number; xetFileId?: number; sizeBytes?: number },
) => linkFile(test.app.db, { repoId, sha256, sizeBytes: 10, userId, ...more });
const find = async (repoId: RepoId, sha256: Sha256) =>
  (await findFiles(test.app.db, repoId, [sha256])).get(sha256);

describe('the edge from a repo to a large file', () => {
  it('is seen in its own repo and in no other', async () => {
    const sha256 = newSha();
    await link(one, sha256, { objectId: await object(sha256, 10) });
    expect(await find(one, sha256)).toMatchObject({ sha256, sizeBytes: 10, xet: null });
    expect(await find(two, sha256)).toBeUndefined();
  });

  it('with a Xet file counts while it is verified or still being verified, never when it is bad', async () => {
    for (const [state, seen] of [
      ['verified', true],
      ['unverified', true],
      ['bad', false],
    ] as const) {
      const sha256 = newSha();
      await link(one, sha256, { xetFileId: await xetFile(sha256, 10, state) });
      expect((await find(one, sha256)) !== undefined, state).toBe(seen);
    }
  });

  it('keeps its whole object when its Xet file turns out bad', async () => {
    const sha256 = newSha();
    await link(one, sha256, {
      objectId: await object(sha256, 10),
      xetFileId: await xetFile(sha256, 10, 'bad'),
    });
    expect(await find(one, sha256)).toMatchObject({ objectKey: expect.any(String), xet: null });
  });

  it('does not count with an object that is being deleted, and takes a new one', async () => {
    const sha256 = newSha();
    await link(one, sha256, { objectId: await object(sha256, 10, 'deleting') });
    expect(await find(one, sha256)).toBeUndefined();
    const fresh = await object(sha256, 10);
    expect(await link(one, sha256, { objectId: fresh })).toEqual({ objectId: fresh });
    expect(await find(one, sha256)).toBeDefined();
  });

  it('gets the second source and keeps the first; linking again changes nothing', async () => {
    const sha256 = newSha();
    const objectId = await object(sha256, 10);
    const xetFileId = await xetFile(sha256, 10, 'verified');
    await link(one, sha256, { xetFileId });
    await link(one, sha256, { objectId });
    await link(one, sha256, { objectId });
    await link(one, sha256, { xetFileId });
    const file = await find(one, sha256);
    expect(file?.objectKey).not.toBeNull();
    expect(file?.xet?.fileId).toBe(xetFileId);
  });

  it('keeps the object of whoever was first and tells the second so', async () => {
    const sha256 = newSha();
    const [first, second] = [await object(sha256, 10), await object(sha256, 10)];
    expect(await link(one, sha256, { objectId: first })).toEqual({ objectId: first });
    expect(await link(one, sha256, { objectId: second })).toEqual({ objectId: first });
  });

  it('takes the size of a checked object over that of a Xet file that lied', async () => {
    const sha256 = newSha();
    await link(one, sha256, { xetFileId: await xetFile(sha256, 99, 'unverified'), sizeBytes: 99 });
    await link(one, sha256, { objectId: await object(sha256, 10) });
    expect(await find(one, sha256)).toMatchObject({ sizeBytes: 10, xet: null });
  });
});

describe('opening a file', () => {
  async function stored(): Promise<{ file: RepoFile; bytes: Buffer }> {
    const { bytes, oid, size } = fileOf(randomBytes(50_000));
    const objectId = await object(oid, size);
    await link(one, oid, { objectId, sizeBytes: size });
    const file = (await find(one, oid)) as RepoFile;
    await test.app.store.put(file.objectKey as string, bytes, { sizeBytes: size });
    return { file, bytes };
  }

  it('gives the whole or exactly a range', async () => {
    const { file, bytes } = await stored();
    expect((await buffer(await openFile(test.app, file))).equals(bytes)).toBe(true);
    const range = { start: 49_990, end: 49_999 };
    expect((await buffer(await openFile(test.app, file, range))).equals(bytes.subarray(-10))).toBe(true);
    const beyond = openFile(test.app, file, { start: 0, end: 50_000 });
    await expect(beyond).rejects.toMatchObject({ code: 'range_not_satisfiable' });
  });

  it('fails rather than give less when the store lost bytes of it', async () => {
    const { file, bytes } = await stored();
    await test.app.store.put(file.objectKey as string, bytes.subarray(0, 100), { sizeBytes: 100 });
    await expect(openFile(test.app, file)).rejects.toMatchObject({ code: 'internal' });
    await test.app.store.delete([file.objectKey as string]);
    await expect(openFile(test.app, file)).rejects.toMatchObject({ code: 'internal' });
  });

  it('has no direct URL on a store that clients cannot reach', async () => {
    const { file } = await stored();
    expect(await fileUrl(test.app, file, { expiresSeconds: 60 })).toBeNull();
  });
});
