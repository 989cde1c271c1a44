import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '#lib/base/embedded-postgres.ts';
import { createLocalStore } from '#lib/storage/local-store.ts';
import { type Child, startChild, waitUntilHealthy } from '#tests/support/child.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { actionOf, type BatchAnswer, type LocalFile, postJson, randomFile, sendParts } from './lfs-hub.ts';

const token = `hf_${'a'.repeat(40)}`;
let database: TestDatabase;
let dataDir: string;
let url: string;
let server: Child | undefined;

/** A hub process that dies as by kill -9 when it reaches `failpoint`; all of them share database, store and port. */
async function startServer(failpoint?: string): Promise<void> {
  server = startChild(['server.ts'], {
    LOG_LEVEL: 'info',
    HOST: '127.0.0.1',
    PORT: new URL(url).port,
    LARDER_ROLE: 'wire',
    LARDER_DATA: dataDir,
    DATABASE_URL: database.url,
    LARDER_ADMIN_PASSWORD: 'correct horse battery',
    LARDER_ADMIN_TOKEN: token,
    LARDER_FAILPOINTS: failpoint === undefined ? undefined : `${failpoint}=exit`,
  });
  await waitUntilHealthy(server, `${url}/healthz`);
}

async function batch(file: LocalFile): Promise<BatchAnswer> {
  const objects = [{ oid: file.oid, size: file.size }];
  const body = { operation: 'upload', transfers: ['basic', 'multipart'], objects };
  const answer = await postJson(`${url}/admin/one.git/info/lfs/objects/batch`, body, {
    authorization: `Bearer ${token}`,
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as BatchAnswer;
}

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'larder-lfs-crash-'));
  url = `http://127.0.0.1:${await freePort()}`;
  await startServer();
  const made = await postJson(
    `${url}/api/repos/create`,
    { type: 'model', name: 'one' },
    { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  );
  expect(made.status).toBe(200);
  await server?.stop();
});
afterEach(() => server?.stop());
afterAll(async () => {
  await server?.stop();
  await database?.drop();
  if (dataDir) await rm(dataDir, { recursive: true, force: true });
});

/** Runs `act` against a hub that dies in it, then starts the hub again. */
async function dyingAt<T>(
  failpoint: string,
  act: () => Promise<T>,
  prepare: () => Promise<void>,
): Promise<void> {
  await startServer(failpoint);
  await prepare();
  await expect(act()).rejects.toThrow();
  expect(await server?.exited).toBe('SIGKILL');
  expect(server?.logs()).toContain(`failpoint ${failpoint}`);
  await startServer();
}

describe('a hub killed in the middle of an upload', () => {
  it.each([
    ['upload.mid', false],
    ['upload.before-verify', false],
    ['object.verified', false],
    ['link.committed', true],
  ])(
    'at %s: the file is held only if the link was committed, and the retry succeeds',
    async (failpoint, held) => {
      const file = randomFile(300_000);
      let answer: BatchAnswer | undefined;
      const put = () =>
        fetch(actionOf(answer as BatchAnswer, 'upload').href, {
          method: 'PUT',
          body: new Uint8Array(file.bytes),
        });
      await dyingAt(failpoint, put, async () => {
        answer = await batch(file);
      });
      const claim = { oid: file.oid, size: file.size };
      const verify = () => postJson(actionOf(answer as BatchAnswer, 'verify').href, claim);
      expect((await verify()).status).toBe(held ? 200 : 404);
      expect((await batch(file)).objects[0]?.actions === undefined).toBe(held);
      expect((await put()).status).toBe(200);
      expect((await verify()).status).toBe(200);
      const { rows } = await queryEdges(file);
      expect(rows).toEqual([{ n: 1 }]);
    },
  );

  it.each(['object.verified', 'link.committed'])(
    'at %s of a completion: completing again gives success and one file',
    async (failpoint) => {
      const file = randomFile((64 << 20) + 11);
      let answer: BatchAnswer | undefined;
      let body = {};
      const complete = () => postJson(actionOf(answer as BatchAnswer, 'upload').href, body);
      await dyingAt(failpoint, complete, async () => {
        answer = await batch(file);
        body = { oid: file.oid, parts: await sendParts(actionOf(answer, 'upload'), file.bytes) };
      });
      expect((await complete()).status).toBe(200);
      expect((await complete()).status).toBe(200);
      expect((await queryEdges(file)).rows).toEqual([{ n: 1 }]);
    },
  );

  it('leaves no half-written object visible and no temporary file that a restart would not sweep', async () => {
    const store = await createLocalStore(join(dataDir, 'objects'));
    for await (const object of store.list('')) expect([300_000, (64 << 20) + 11]).toContain(object.sizeBytes);
  });
});

/** Edges of the file to live objects, straight from the database. */
async function queryEdges(file: LocalFile): Promise<{ rows: { n: number }[] }> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const found = await client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM repo_file e JOIN stored_object o ON o.id = e.object_id AND o.state = 'live'
     WHERE e.sha256 = $1`,
    [Buffer.from(file.oid, 'hex')],
  );
  await client.end();
  return { rows: found.rows };
}
