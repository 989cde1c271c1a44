import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createS3Client } from '#lib/storage/s3-client.ts';
import { type Hub, startHub } from '../support/hub.ts';
import { startRgw, type TestS3 } from '../support/rgw.ts';
import { commitLfs, destroyDatabase, expectStocked, runOk, runProgram, stock } from './full-hub.ts';

let s3: TestS3;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-disaster-'));
  s3 = await startRgw();
});
afterAll(async () => {
  await s3?.stop();
  await rm(dir, { recursive: true, force: true });
});

const s3Env = (): Record<string, string> => ({
  S3_ENDPOINT: s3.endpoint,
  S3_ACCESS_KEY_ID: s3.accessKeyId,
  S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  S3_BUCKET: 'disaster',
});

/** Nothing is left of the bucket's objects. */
async function emptyBucket(): Promise<void> {
  const client = createS3Client(
    { ...s3, bucket: 'disaster', region: 'us-east-1', direct: true },
    s3.endpoint,
  );
  for (;;) {
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'disaster' }));
    if (!Contents?.length) break;
    const Objects = Contents.map(({ Key }) => ({ Key }));
    await client.send(new DeleteObjectsCommand({ Bucket: 'disaster', Delete: { Objects } }));
  }
  client.destroy();
}

test.each([
  ['a local store', {}],
  ['S3', null],
] as const)(
  'on %s: kill backup and restore at every point, destroy everything in between, and all of it comes back',
  async (name, local) => {
    const env = local ?? s3Env();
    const work = join(dir, name.replaceAll(' ', '-'));
    const backups = join(work, 'backups');
    const hub = await startHub({ env: { LOG_LEVEL: 'error', ...env } });
    const program = (...args: [Parameters<typeof runProgram>[1], string[], Record<string, string>?]) =>
      runProgram(hub, args[0], args[1], { ...env, ...args[2] });
    try {
      const stocked = await stock(hub, work, 90);
      for (const point of ['backup.dumped', 'backup.object-copied'])
        expect(program('backup', [backups], { LARDER_FAILPOINTS: `${point}=exit` }).status).toBeNull();
      runOk(hub, 'backup', [backups, '--verify'], env);
      await hub.kill();
      await destroyDatabase(hub.databaseUrl);
      if (local === null) await emptyBucket();
      else await rm(join(hub.dataDir, 'objects'), { recursive: true });
      for (const point of ['restore.object-put', 'restore.emptied', 'restore.loaded'])
        expect(program('restore', [backups], { LARDER_FAILPOINTS: `${point}=exit` })).toMatchObject({
          status: null,
          output: expect.stringContaining(`failpoint ${point} exit`),
        });
      runOk(hub, 'restore', [backups], env);
      expect(runOk(hub, 'check', ['--full'], env)).toMatch(/^clean/m);
      await hub.restart();
      await expectStocked(hub, work, stocked);
    } finally {
      await hub.stop();
    }
  },
  600_000,
);

test('F47: check names exactly the rows without objects, and exactly the objects without rows', async () => {
  const work = join(dir, 'moments');
  const backups = join(work, 'backups');
  const hub: Hub = await startHub({ env: { LOG_LEVEL: 'error' } });
  try {
    await stock(hub, work);
    runOk(hub, 'backup', [backups]);
    await commitLfs(hub, 'admin/model', 'later.bin', randomBytes(40_000));
    await hub.kill();
    // The database is older than the store.
    runOk(hub, 'restore', [backups, '--replace']);
    const older = JSON.parse(runOk(hub, 'check', ['--json', '--grace-hours', '0'])) as {
      findings: { code: string; text: string }[];
    };
    expect(older.findings.map(({ code, text }) => `${code} ${text}`)).toEqual([
      'key-unnamed 40000 bytes that no row names',
    ]);
    // The store is older than the database.
    await rm(join(hub.dataDir, 'objects', 'objects', 'blob'), { recursive: true });
    const newer = runProgram(hub, 'check', ['--json', '--grace-hours', '0']);
    expect(newer.status).toBe(1);
    const { findings } = JSON.parse(newer.output) as typeof older;
    expect(findings.map(({ code }) => code)).toEqual(['object-missing']);
  } finally {
    await hub.stop();
  }
});
