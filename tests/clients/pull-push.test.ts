import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { GitPerson } from './git-person.ts';

const token = (letter: string) => `hf_${letter.repeat(36)}`;
const REPO = 'alice/open';
const API = `/api/models/${REPO}/discussions`;
let hub: Hub;
let folder: string;
let alice: GitPerson;
let bob: GitPerson;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-pull-push-'));
  const user = (name: string, letter: string) => ({
    name,
    fullname: name,
    tokens: [{ name: 't', token: token(letter), role: 'write' }],
  });
  hub = await startHub({ seed: { users: [user('alice', 'a'), user('bob', 'b')] } });
  alice = new GitPerson(hub, folder, 'alice', token('a'));
  bob = new GitPerson(hub, folder, 'bob', token('b'));
  await alice.api('POST', '/api/repos/create', { name: 'open' });
});
afterAll(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

interface Details {
  readonly status: string;
  readonly events: readonly { readonly type: string; readonly data: Record<string, unknown> }[];
}
const eventsOf = async (num: number) =>
  (await alice.api<Details>('GET', `${API}/${num}`)).events.map(({ type, data }) => [
    type,
    data.subject ?? data.status ?? data.isRebase,
  ]);

async function commit(person: GitPerson, path: string, text: string): Promise<void> {
  await writeFile(join(person.at('open'), path), text);
  await person.git('open', 'add', '-A');
  await person.git('open', 'commit', '-qm', `put ${path}`);
}

test('who may only read pushes to a pull request of their own with stock git, and nowhere else', async () => {
  await bob.git('', 'clone', '-q', bob.remote(REPO), 'open');
  await commit(bob, 'a.txt', 'one\n');
  expect(await bob.refused('open', 'push', 'origin', 'HEAD:main')).toMatch(/403|may not write|right/);
  const { num } = await bob.api<{ num: number }>('POST', API, { title: 'By git', pullRequest: true });
  const others = await alice.api<{ num: number }>('POST', API, { title: 'Of alice', pullRequest: true });
  await bob.git('open', 'push', '-q', 'origin', `HEAD:refs/pr/${num}`);
  await commit(bob, 'b.txt', 'two\n');
  await bob.git('open', 'push', '-q', 'origin', `HEAD:refs/pr/${num}`);
  for (const [target, why] of [
    ['main', 'you may not write'],
    ['new-branch', 'you may not write'],
    [`refs/pr/${others.num}`, 'only its author'],
    ['refs/pr/99', 'only its author'],
    ['refs/tags/v1', 'you may not write'],
  ])
    expect(await bob.refused('open', 'push', 'origin', `HEAD:${target}`)).toContain(why);
  expect(await bob.refused('open', 'push', 'origin', `:refs/pr/${num}`)).toContain('cannot be deleted');
  expect(await eventsOf(num)).toEqual([
    ['comment', undefined],
    ['commit', 'put a.txt'],
    ['commit', 'put b.txt'],
  ]);
  await bob.git('open', 'commit', '-q', '--amend', '-m', 'b, said better');
  await bob.git('open', 'push', '-qf', 'origin', `HEAD:refs/pr/${num}`);
  expect((await eventsOf(num)).slice(3)).toEqual([
    ['head-change', false],
    ['commit', 'b, said better'],
  ]);
  await alice.api('POST', `${API}/${num}/status`, { status: 'open' });
  await alice.api('POST', `${API}/${num}/merge`, {});
  await commit(bob, 'c.txt', 'three\n');
  await bob.refused('open', 'push', 'origin', `HEAD:refs/pr/${num}`);
  await alice.git('', 'clone', '-q', alice.remote(REPO), 'open');
  expect(await alice.git('open', 'log', '-1', '--format=%an %s')).toBe(`alice By git (#${num})`);
  expect(await alice.git('open', 'log', '-1', '--format=%b')).toBe('Co-authored-by: bob <bob@example.org>');
  expect(await alice.refused('open', 'push', '-f', 'origin', `HEAD:refs/pr/${num}`)).toContain('is merged');
  expect(await alice.git('open', 'fsck', '--full')).toBe('');
});
