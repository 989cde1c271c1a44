import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedPostgres } from '#lib/base/embedded-postgres.ts';
import { migrate } from '#lib/base/migrate.ts';
import { createLocalStore } from '#lib/storage/local-store.ts';
import { openLogFile } from '../../bin/launcher/log-file.ts';
import { commitLfs, runOk } from '../backup/full-hub.ts';
import { type Hub, startHub } from '../support/hub.ts';
import { type SmallDisk, startSmallDisk } from '../support/small-disk.ts';
import { buildXorb } from '../xet/build.ts';

const MB = 1_000_000;

async function ask(hub: Hub, method: string, path: string, body?: unknown, type = 'application/json') {
  const answer = await fetch(hub.url + path, {
    method,
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': type, accept: type },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    body: (await answer.json().catch(() => null)) as Record<string, unknown> | null,
  };
}

async function sendLfs(hub: Hub, bytes: Buffer): Promise<{ status: number; text: string }> {
  const oid = createHash('sha256').update(bytes).digest('hex');
  const objects = [{ oid, size: bytes.length }];
  const request = { operation: 'upload', transfers: ['basic'], objects };
  const { body } = await ask(
    hub,
    'POST',
    '/admin/r.git/info/lfs/objects/batch',
    request,
    'application/vnd.git-lfs+json',
  );
  const answer = body as { objects: { actions: { upload: { href: string } } }[] } | null;
  const href = answer?.objects[0]?.actions.upload.href as string;
  const put = await fetch(href, { method: 'PUT', body: new Uint8Array(bytes) });
  return { status: put.status, text: await put.text() };
}

describe('F29: the disk of the data folder is full', () => {
  let disk: SmallDisk;
  let hub: Hub;
  let dir: string;
  const kept = randomBytes(MB);

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'larder-full-'));
    disk = await startSmallDisk(48);
    hub = await startHub({ env: { LARDER_DATA: disk.path, LOG_LEVEL: 'fatal' } });
    await ask(hub, 'POST', '/api/repos/create', { name: 'r' });
    await commitLfs(hub, 'admin/r', 'kept.bin', kept);
  });
  afterAll(async () => {
    await hub?.stop();
    await disk?.remove();
    await rm(dir, { recursive: true, force: true });
  });

  const git = (...args: string[]) => {
    const env = {
      ...process.env,
      HOME: dir,
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
    };
    const more = { GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b', LC_ALL: 'C' };
    const { status, stdout, stderr } = spawnSync('git', args, { env: { ...env, ...more }, encoding: 'utf8' });
    return { status, output: stdout + stderr };
  };

  test('uploads by every door get 507 that says so, reads and commits and deletes go on, nothing is half there, room heals it', async () => {
    const clone = join(dir, 'clone');
    const remote = `${hub.url.replace('://', `://admin:${hub.adminToken}@`)}/admin/r.git`;
    expect(git('clone', '-q', remote, clone).status).toBe(0);
    await writeFile(join(clone, 'text.txt'), randomBytes(4 * MB).toString('base64'));
    git('-C', clone, 'add', '-A');
    git('-C', clone, 'commit', '-qm', 'large text');
    disk.fill(500_000);

    const lfs = await sendLfs(hub, randomBytes(5 * MB));
    expect(lfs).toMatchObject({ status: 507, text: expect.stringContaining('no room') });
    const token = await ask(hub, 'GET', '/api/models/admin/r/xet-write-token/main');
    const { casUrl, accessToken } = token.body as { casUrl: string; accessToken: string };
    const xorb = buildXorb(Array.from({ length: 40 }, () => randomBytes(100_000)));
    const xet = await fetch(`${casUrl}/v1/xorbs/default/${xorb.hash}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}` },
      body: new Uint8Array(xorb.body),
    });
    expect([xet.status, await xet.text()]).toEqual([507, expect.stringContaining('no room')]);
    const tus = await fetch(`${hub.url}/api/models/admin/r/tus`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${hub.adminToken}`,
        'tus-resumable': '1.0.0',
        'upload-length': String(5 * MB),
        'upload-metadata': `path ${Buffer.from('t.bin').toString('base64')},revision ${Buffer.from('main').toString('base64')}`,
        'content-type': 'application/offset+octet-stream',
      },
      body: new Uint8Array(randomBytes(5 * MB)),
    });
    expect([tus.status, await tus.text()]).toEqual([507, expect.stringContaining('no room')]);
    const push = git('-C', clone, 'push', '-q', 'origin', 'HEAD:main');
    expect(push.status).not.toBe(0);
    expect(push.output).toMatch(/no room left/);

    const read = await fetch(`${hub.url}/admin/r/resolve/main/kept.bin`);
    expect(Buffer.from(await read.arrayBuffer()).equals(kept)).toBe(true);
    const files = [{ path: 'a.txt', content: 'a', encoding: 'utf-8' }];
    expect((await ask(hub, 'POST', '/api/models/admin/r/commit/main', { summary: 'a', files })).status).toBe(
      200,
    );
    await ask(hub, 'POST', '/api/repos/create', { name: 'gone' });
    expect((await ask(hub, 'DELETE', '/api/repos/delete', { name: 'gone' })).status).toBe(200);
    expect(hub.serverPid).not.toBeNull();
    expect(await readdir(join(disk.path, 'objects', 'tmp'))).toEqual([]);

    disk.empty();
    expect((await sendLfs(hub, randomBytes(5 * MB))).status).toBe(200);
    git('-C', clone, 'pull', '-q', '--rebase');
    expect(git('-C', clone, 'push', '-q', 'origin', 'HEAD:main')).toMatchObject({ status: 0 });
    expect(runOk({ ...hub, dataDir: disk.path }, 'check', ['--full'])).toMatch(/^clean/m);
  });
});

describe('F29: other disks that are full', () => {
  test('the local store deletes objects, also those of many parts, when there is no room for anything', async () => {
    const disk = await startSmallDisk(8);
    const store = await createLocalStore(join(disk.path, 'objects'));
    const bytes = randomBytes(MB);
    await store.put('blob/aa/one', bytes, { sizeBytes: MB });
    const id = await store.beginMultipart('blob/aa/many');
    const parts = [await store.putPart('blob/aa/many', id, 1, bytes, { sizeBytes: MB })];
    await store.completeMultipart('blob/aa/many', id, parts);
    disk.fill(0);
    await expect(store.put('blob/bb/no', bytes, { sizeBytes: MB })).rejects.toMatchObject({
      code: 'storage_full',
    });
    await store.delete(['blob/aa/one', 'blob/aa/many']);
    expect([await store.head('blob/aa/one'), await store.head('blob/aa/many')]).toEqual([null, null]);
    await store.put('blob/bb/yes', bytes, { sizeBytes: MB });
    await disk.remove();
  });

  test('a log that cannot be written drops lines, says later how many, and ends nobody', async () => {
    const disk = await startSmallDisk(1);
    const file = join(disk.path, 'server.log');
    const log = openLogFile(file);
    log('before');
    disk.fill(0);
    for (let i = 0; i < 2_000; i++) log('x'.repeat(1_000));
    disk.empty();
    log('after');
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/\(\d+ lines could not be written\)\nafter\n$/);
    await disk.remove();
  });

  test('the volume of Postgres: writes get 507 or 503, reads go on, all works again when there is room', async () => {
    const disk = await startSmallDisk(160);
    const postgres = await startEmbeddedPostgres({
      home: disk.path,
      settings: { max_wal_size: '32MB', min_wal_size: '32MB' },
    });
    await migrate(postgres.url);
    const hub = await startHub({ env: { DATABASE_URL: postgres.url, LOG_LEVEL: 'fatal' } });
    try {
      await ask(hub, 'POST', '/api/repos/create', { name: 'r' });
      disk.fill(0);
      const commit = (n: number) => {
        const files = [
          { path: `f${n}.txt`, content: randomBytes(300_000).toString('base64'), encoding: 'utf-8' },
        ];
        return ask(hub, 'POST', '/api/models/admin/r/commit/main', { summary: 'a', files });
      };
      const statuses: number[] = [];
      const acked: number[] = [];
      for (let n = 0; n < 80 && !statuses.some((status) => status !== 200); n++) {
        const { status } = await commit(n);
        statuses.push(status);
        if (status === 200) acked.push(n);
      }
      expect([507, 503]).toContain(statuses.at(-1));
      expect(hub.serverPid).not.toBeNull();
      disk.empty();
      const until = Date.now() + 20_000;
      let last = await commit(100);
      while (last.status !== 200 && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        last = await commit(100);
      }
      expect(last.status).toBe(200);
      const tree = await ask(hub, 'GET', '/api/models/admin/r/tree/main');
      const paths = new Set((tree.body as unknown as { path: string }[]).map(({ path }) => path));
      expect(acked.filter((n) => !paths.has(`f${n}.txt`))).toEqual([]);
      expect(runOk({ ...hub, databaseUrl: postgres.url }, 'check', [])).toMatch(/^clean/m);
    } finally {
      await hub.stop();
      await postgres.stop();
      await disk.remove();
    }
  }, 120_000);
});
