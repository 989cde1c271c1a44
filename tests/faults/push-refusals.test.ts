import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { GitPerson } from '#tests/clients/git-person.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { json } from './doors.ts';
import { eventually } from './nemesis.ts';
import { sha256Of, uploadLfs } from './ref-doors.ts';

let hub: Hub | undefined;
let folder = '';
afterEach(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
});

const CONTENT = 'the content of a large file';
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256Of(CONTENT)}\nsize ${CONTENT.length}\n`;

test('a file deleted for good between two refs of a push: only the refs that name it are refused, and the report says so', async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-push-refusals-'));
  const held = join(folder, 'held');
  await writeFile(held, '');
  hub = await startHub({ env: { LOG_LEVEL: 'fatal', LARDER_FAILPOINTS: `push.ref-landed=hold:${held}@1` } });
  await json(hub, 'POST', '/api/repos/create', { name: 'r' });
  await uploadLfs(hub, 'admin/r', CONTENT);
  const person = new GitPerson(hub, folder, 'admin', hub.adminToken);
  const url = person.remote('admin/r');
  await person.git('', 'clone', '-q', url, 'work');
  for (const branch of ['a', 'b', 'c']) {
    await person.git('work', 'switch', '-qc', branch, 'origin/main');
    const name = branch === 'b' ? 'large.bin' : 'small.txt';
    await writeFile(join(person.at('work'), name), branch === 'b' ? POINTER : branch);
    await person.git('work', 'add', '-A');
    await person.git('work', 'commit', '-qm', `on ${branch}`);
  }
  const push = () => person.try('work', 'push', '--porcelain', 'origin', 'a', 'b', 'c');
  const pushed = push();
  await eventually(async () => expect(hub?.logs()).toContain('failpoint push.ref-landed hold'));
  const deletions = { sha: [sha256Of(CONTENT)], rewriteHistory: true };
  await json(hub, 'POST', '/api/models/admin/r/lfs-files/batch', { deletions });
  await rm(held);
  const { code, output } = await pushed;
  expect(code, output).not.toBe(0);
  expect(output).toMatch(/^\*\trefs\/heads\/a:refs\/heads\/a/m);
  expect(output).toMatch(/^!\trefs\/heads\/b:refs\/heads\/b\t.*names "large.bin".*no longer holds/m);
  expect(output).toMatch(/^\*\trefs\/heads\/c:refs\/heads\/c/m);
  const list = async () =>
    (await person.git('', 'ls-remote', url, 'refs/heads/?')).split('\n').map((line) => line.split('\t')[1]);
  expect(await list()).toEqual(['refs/heads/a', 'refs/heads/c']);
  await uploadLfs(hub, 'admin/r', CONTENT);
  expect(await push()).toMatchObject({ code: 0 });
  expect(await list()).toEqual(['refs/heads/a', 'refs/heads/b', 'refs/heads/c']);
});
