import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { GitPerson } from './git-person.ts';
import { hfOk } from './python.ts';

const pkt = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
const REASON = /no git program.*administrator has to install git/s;

let hub: Hub;
let folder: string;
let alice: GitPerson;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-no-git-'));
  hub = await startHub({ env: { LOG_LEVEL: 'info', PATH: join(folder, 'empty') }, worker: true });
  alice = new GitPerson(hub, folder, 'admin', hub.adminToken);
  await alice.api('POST', '/api/repos/create', { name: 'r' });
});
afterAll(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const authorization = () => ({ authorization: `Bearer ${hub.adminToken}` });

test('without a git program clone, fetch and push are 501 and name the remedy; nothing counts as an error of ours', async () => {
  const said = await alice.refused('', 'clone', alice.remote('admin/r'), 'r');
  expect(said).toMatch(REASON);
  await alice.git('', 'init', '-q', '-b', 'main', 'own');
  await writeFile(join(alice.at('own'), 'a'), 'a');
  await alice.git('own', 'add', '-A');
  await alice.git('own', 'commit', '-qm', 'a');
  for (const args of [
    ['push', alice.remote('admin/r'), 'main:new'],
    ['fetch', alice.remote('admin/r')],
  ])
    expect(await alice.refused('own', ...args)).toMatch(REASON);
  const oid = '1'.repeat(40);
  for (const [service, body] of [
    ['git-upload-pack', `${pkt(`want ${oid}\n`)}0000${pkt('done\n')}`],
    ['git-receive-pack', `${pkt(`${'0'.repeat(40)} ${oid} refs/heads/new\0report-status`)}0000`],
  ] as const) {
    const answer = await fetch(`${hub.url}/admin/r.git/${service}`, {
      method: 'POST',
      headers: authorization(),
      body,
    });
    expect([service, answer.status]).toEqual([service, 501]);
    expect(await answer.text()).toMatch(REASON);
  }
  expect(hub.logs()).not.toContain('"level":50');
}, 60_000);

test('without a git program upload, download, history and LFS work as ever', async () => {
  const options = { endpoint: hub.url, token: hub.adminToken, home: join(folder, 'home') };
  const from = join(folder, 'file.bin');
  await writeFile(from, Buffer.alloc(200_000, 'x'));
  await hfOk(['upload', 'admin/r', from, 'deep/file.bin'], options);
  await hfOk(['download', 'admin/r', '--local-dir', join(folder, 'down')], options);
  expect((await readFile(join(folder, 'down/deep/file.bin'))).equals(await readFile(from))).toBe(true);
  for (const path of [
    '/api/models/admin/r/commits/main',
    '/api/models/admin/r/refs',
    '/admin/r.git/info/lfs/locks',
  ])
    expect((await fetch(hub.url + path, { headers: authorization() })).status, path).toBe(200);
}, 60_000);
