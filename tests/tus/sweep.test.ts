import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepUploads } from '#lib/repos/files/lfs/sweep-uploads.ts';
import { sweepStore } from '#lib/repos/files/sweep-store.ts';
import { sweepTusUploads } from '#lib/repos/files/tus/sweep-tus-uploads.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { fileOf, startTusHub, type TusHub } from './tus-hub.ts';

const MIB = 2 ** 20;
const DAY_MS = 24 * 3600_000;
const FIELDS = { path: 'model.bin', revision: 'main' };
let hub: TusHub;
beforeAll(async () => {
  hub = await startTusHub();
});
afterAll(() => hub.close());

const later = (ms: number) => ({ ...hub.app, clock: { ...hub.app.clock, now: () => Date.now() + ms } });
/** So many parts were sent that what is too short for a full one waits for more, as it does where S3 is the store. */
const useUpNumbers = (location: string) =>
  hub.app.db.query('UPDATE tus_upload SET next_part = 9600, part_size_bytes = $2 WHERE id = $1', [
    location.split('/').at(-1),
    16 * MIB,
  ]);

async function begunAtStore(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { uploadId } of hub.app.store.listMultipart()) ids.push(uploadId);
  return ids;
}

test('seven days after its last byte an upload is given up in the database and at the store; others are not touched', async () => {
  const { bytes } = fileOf(22 * MIB);
  const old = await hub.create('alice/one', FIELDS, 60 * MIB);
  const oldTail = await hub.create('alice/one', FIELDS, 60 * MIB);
  for (const location of [old, oldTail]) await useUpNumbers(location);
  expect((await hub.patch(old, 0, bytes)).status).toBe(204);
  expect((await hub.patch(oldTail, 0, bytes.subarray(0, 1000))).status).toBe(204);
  const done = await hub.create('alice/one', FIELDS, bytes.length);
  const sha256 = (await hub.patch(done, 0, bytes)).headers.get('larder-sha256') as string;
  expect(await sweepTusUploads(later(6.9 * DAY_MS))).toBe(0);
  await hub.app.db.query(
    `UPDATE tus_upload SET expires_at = expires_at + interval '3 days' WHERE id <> ALL($1)`,
    [[old, oldTail].map((location) => location.split('/').at(-1))],
  );
  const fresh = await hub.create('alice/one', FIELDS, 60 * MIB);
  await useUpNumbers(fresh);
  await hub.app.db.query(`UPDATE tus_upload SET expires_at = expires_at + interval '3 days' WHERE id = $1`, [
    fresh.split('/').at(-1),
  ]);
  expect((await hub.patch(fresh, 0, bytes)).status).toBe(204); // puts expires_at back to seven days from now
  await hub.app.db.query(`UPDATE tus_upload SET expires_at = expires_at + interval '3 days' WHERE id = $1`, [
    fresh.split('/').at(-1),
  ]);
  const app = later(7.1 * DAY_MS);
  expect(await Promise.all([sweepTusUploads(app), sweepTusUploads(app)])).toSatisfy(
    (counts: number[]) => (counts[0] ?? 0) + (counts[1] ?? 0) === 2,
  );
  expect((await hub.tus('HEAD', old)).status).toBe(410);
  expect((await hub.tus('HEAD', oldTail)).status).toBe(410);
  expect((await hub.keys()).filter((key) => key.startsWith('staging/'))).toHaveLength(1); // of the fresh one
  expect(await begunAtStore()).toHaveLength(1);
  const rest = fileOf(38 * MIB).bytes;
  expect((await hub.patch(fresh, 22 * MIB, rest)).status).toBe(204);
  expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  await sweepTusUploads(later(60 * DAY_MS));
  expect((await hub.app.db.query('SELECT 1 FROM tus_part')).rowCount).toBe(0);
});

test('an expired upload takes nothing more, even before it is swept', async () => {
  const location = await hub.create('alice/one', FIELDS, 10);
  await hub.app.db.query(
    `UPDATE tus_upload SET expires_at = now() - interval '1 second' WHERE state = 'open'`,
  );
  expect((await hub.tus('HEAD', location)).status).toBe(410);
  expect((await hub.patch(location, 0, Buffer.from('0123456789'))).status).toBe(410);
});

test('what a crash kept from being recorded is given up at the store after a day; what a row names is kept', async () => {
  const { store } = hub.app;
  await store.beginMultipart(newObjectKey('blob'));
  await store.put(newObjectKey('staging'), Buffer.from('x'), { sizeBytes: 1 });
  const running = await hub.create('alice/one', FIELDS, 60 * MIB);
  expect((await hub.patch(running, 0, fileOf(20 * MIB).bytes)).status).toBe(204);
  const waiting = await hub.create('alice/one', FIELDS, 60 * MIB);
  await useUpNumbers(waiting);
  expect((await hub.patch(waiting, 0, Buffer.alloc(1000))).status).toBe(204);
  const batch = await hub.post('/alice/one.git/info/lfs/objects/batch', {
    operation: 'upload',
    transfers: ['multipart'],
    objects: [{ oid: 'a'.repeat(64), size: 100 * MIB }],
  });
  expect(batch.status).toBe(200);
  expect(await sweepStore(hub.app)).toBe(0);
  expect(await sweepStore(later(1.1 * DAY_MS))).toBe(1);
  expect(await sweepStore(later(9 * DAY_MS))).toBe(1);
  expect(await begunAtStore()).toHaveLength(2);
  expect((await hub.tus('HEAD', waiting)).headers.get('upload-offset')).toBe('1000');
  // The upload of LFS ends with its links.
  expect(await sweepUploads(later(9 * DAY_MS))).toBe(1);
  expect(await begunAtStore()).toHaveLength(1);
});
