import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GitPerson } from '#tests/clients/git-person.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { commitFile, json } from './doors.ts';
import { eventually } from './nemesis.ts';

/** Three pages of rows. */
const FILES = 4300;
const POINT = 'clone.batch-written';

let folder: string;
let hub: Hub;
let person: GitPerson;
let url: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-cold-clone-'));
  hub = await startHub({ env: { LOG_LEVEL: 'fatal' } });
  await json(hub, 'POST', '/api/repos/create', { name: 'r' });
  const files = Array.from({ length: FILES }, (_, n) => ({
    path: `d${n % 50}/f${n}.txt`,
    content: `${n}\n`,
    encoding: 'utf-8',
  }));
  await json(hub, 'POST', '/api/models/admin/r/commit/main', { summary: 'all', files });
  person = new GitPerson(hub, folder, 'admin', hub.adminToken);
  url = person.remote('admin/r');
});
afterAll(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The server anew: whatever is cloned first has to be read from the database. */
async function restart(armed: string): Promise<void> {
  await hub.kill();
  await hub.restart({ LARDER_FAILPOINTS: armed });
}

async function clonesWhole(name: string): Promise<void> {
  await person.git('', 'clone', '-q', '--bare', url, name);
  await person.git(name, 'fsck', '--full', '--strict');
  const files = await person.git(name, 'ls-tree', '-r', '--name-only', 'main');
  expect(files.split('\n')).toHaveLength(FILES + 1);
}

const leftovers = () =>
  readdirSync(join(hub.dataDir, 'git-cache'), { recursive: true }).filter((name) =>
    String(name).includes('tmp_'),
  );

test('a clone whose rows cannot be read to the end fails and says so; the next one is whole', async () => {
  await restart(`${POINT}=throw@2`);
  const said = await person.refused('', 'clone', '--bare', url, 'failed');
  expect(said).toContain('the hub could not read all of this repository');
  expect(existsSync(person.at('failed'))).toBe(false);
  expect(leftovers()).toEqual([]);
  await clonesWhole('after-failure');
});

test('a server killed in the middle of a clone: the clone fails, and the next one is whole', async () => {
  await restart(`${POINT}=exit@2`);
  await person.refused('', 'clone', '-q', '--bare', url, 'killed');
  expect(hub.serverPid).toBeNull();
  expect(existsSync(person.at('killed'))).toBe(false);
  await hub.restart();
  await clonesWhole('after-kill');
  expect(leftovers()).toEqual([]);
});

test('a cold clone is sent while it is read; who comes meanwhile, and who leaves, changes nothing', async () => {
  const held = join(folder, 'held');
  await writeFile(held, '');
  await restart(`${POINT}=hold:${held}@2`);
  const { sha } = await json(hub, 'GET', '/api/models/admin/r/revision/main');
  const line = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
  const request = `${line('command=fetch')}0001${line('ofs-delta')}${line(`want ${sha}`)}${line('done')}0000`;
  const leaving = new AbortController();
  const answer = await fetch(`${hub.url}/admin/r.git/git-upload-pack`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${hub.adminToken}`,
      'content-type': 'application/x-git-upload-pack-request',
      'git-protocol': 'version=2',
    },
    body: request,
    signal: leaving.signal,
  });
  let seen = '';
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    seen += Buffer.from(chunk).toString('latin1');
    if (seen.length > 50_000) break;
  }
  expect(seen).toMatch(/packfile\n.*PACK/s);
  expect(existsSync(held)).toBe(true);
  const others = ['second', 'third'].map(clonesWhole);
  leaving.abort();
  await eventually(async () => expect(hub.logs()).toContain(`failpoint ${POINT} hold`));
  await rm(held);
  await Promise.all(others);
});

test('what no ref reaches is in no clone, cold or warm', async () => {
  const api = '/api/models/admin/r';
  await json(hub, 'POST', `${api}/branch/gone`, {});
  await commitFile(hub, 'admin/r', 'secret.txt', { revision: 'gone' });
  const tree = (await json(hub, 'GET', `${api}/tree/gone`)) as unknown as { path: string; oid: string }[];
  const oid = tree.find(({ path }) => path === 'secret.txt')?.oid ?? '';
  expect(oid).toMatch(/^[0-9a-f]{40}$/);
  await json(hub, 'DELETE', `${api}/branch/gone`);
  await restart('');
  for (const name of ['cold', 'warm']) {
    await clonesWhole(name);
    await person.refused(name, 'cat-file', '-e', oid);
  }
});
