import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { GitPerson } from './git-person.ts';
import { commit, head, refsOf, refsSeenBy, type Step, served } from './git-session.ts';

export const pulls: Step[] = [
  [
    'a pull request is opened from a branch and shows in git',
    async (s) => {
      await s.bob.git('net', 'pull', '-q');
      await s.bob.git('net', 'switch', '-qc', 'idea');
      await commit(s.bob, 'net', 'Idea', { 'idea.txt': 'one\n' });
      await s.bob.git('net', 'push', '-q', 'origin', 'idea');
      const { num } = await s.bob.api<{ num: number }>('POST', '/api/models/acme/net/discussions', {
        title: 'An idea',
        description: 'Look',
        pullRequest: true,
      });
      expect(num).toBe(1);
      expect(await s.bob.git('net', 'ls-remote', 'origin')).toContain('refs/pr/1');
    },
  ],
  [
    'its branch is pushed into it, and again',
    async (s) => {
      await s.bob.git('net', 'push', '-q', 'origin', 'idea:refs/pr/1');
      await commit(s.bob, 'net', 'Idea, refined', { 'idea.txt': 'two\n' });
      await s.bob.git('net', 'push', '-q', 'origin', 'HEAD:refs/pr/1');
      expect(await served(s, 'idea.txt', 'refs/pr/1')).toBe('two\n');
      expect(await served(s, 'idea.txt')).toBe('HTTP 404');
    },
  ],
  [
    'a reviewer fetches it, adds to it, and pushes it back',
    async (s) => {
      await s.alice.git('net', 'pull', '-q');
      await s.alice.git('net', 'fetch', '-q', 'origin', 'refs/pr/1:pr/1');
      await s.alice.git('net', 'switch', '-q', 'pr/1');
      await commit(s.alice, 'net', 'Review', { 'review.txt': 'fine\n' });
      await s.alice.git('net', 'push', '-q', 'origin', 'pr/1:refs/pr/1');
      expect(await served(s, 'review.txt', 'refs/pr/1')).toBe('fine\n');
    },
  ],
  [
    'a reader cannot push into it',
    async (s) => {
      await s.carol.git('v2', 'fetch', '-q', 'origin', 'refs/pr/1:pr/1');
      await s.carol.refused('v2', 'push', 'origin', '+main:refs/pr/1');
    },
  ],
  [
    'it is merged, and everybody fetches the merged state',
    async (s) => {
      await s.bob.api('POST', '/api/models/acme/net/discussions/1/status', { status: 'open' });
      await s.alice.api('POST', '/api/models/acme/net/discussions/1/merge', {});
      await s.alice.git('net', 'switch', '-q', 'main');
      await s.alice.git('net', 'pull', '-q');
      expect(await readFile(join(s.alice.at('net'), 'idea.txt'), 'utf8')).toBe('two\n');
      await s.bob.git('net', 'switch', '-q', 'main');
      await s.bob.git('net', 'pull', '-q');
      expect(await head(s.bob, 'net')).toBe(await head(s.alice, 'net'));
    },
  ],
];

export const rights: Step[] = [
  [
    'a reader reads and does not write',
    async (s) => {
      await commit(s.carol, 'v2', 'Mine', { 'carol.txt': 'c\n' });
      expect(await s.carol.refused('v2', 'push', 'origin', 'main')).toMatch(/403|right|forbidden/i);
    },
  ],
  [
    'a stranger reads what is public, and nothing else',
    async (s) => {
      const url = `${s.hub.url}/acme/net.git`;
      await s.carol.git('', 'clone', '-q', url, 'anonymous');
      await s.alice.api('POST', '/api/repos/create', { name: 'secret', organization: 'acme', private: true });
      const [secret, missing] = [
        await s.carol.refused('', 'ls-remote', `${s.hub.url}/acme/secret.git`),
        await s.carol.refused('', 'ls-remote', `${s.hub.url}/acme/missing.git`),
      ];
      expect(secret.replaceAll('secret', 'x')).toBe(missing.replaceAll('missing', 'x'));
      await s.carol.git('', 'ls-remote', s.carol.remote('acme/secret'));
    },
  ],
  [
    'a wrong token is refused where one is needed',
    async (s) => {
      const { host } = new URL(s.hub.url);
      const wrong = `http://carol:hf_${'x'.repeat(37)}@${host}`;
      expect(await s.carol.refused('', 'ls-remote', `${wrong}/acme/secret.git`)).toContain(
        'Authentication failed',
      );
      await s.carol.refused('anonymous', 'push', `${wrong}/acme/net.git`, 'HEAD:refs/heads/x');
    },
  ],
  [
    'the token may stand in the place of the user name',
    async (s) => {
      const { host } = new URL(s.hub.url);
      await s.carol.git('', 'ls-remote', `http://${s.carol.token}@${host}/acme/secret.git`);
    },
  ],
  [
    'datasets are cloned and pushed like models',
    async (s) => {
      await s.alice.api('POST', '/api/repos/create', { name: 'rows', organization: 'acme', type: 'dataset' });
      await s.alice.git('', 'clone', '-q', s.alice.remote('datasets/acme/rows'), 'rows');
      await commit(s.alice, 'rows', 'Rows', { 'data.csv': 'a,b\n' });
      await s.alice.git('rows', 'push', '-q');
      expect(await served(s, 'data.csv', 'main', 'datasets/acme/rows')).toBe('a,b\n');
    },
  ],
  [
    'a repo that moved is fetched and pushed under its old name',
    async (s) => {
      const names = { fromRepo: 'acme/rows', toRepo: 'acme/tables', type: 'dataset' };
      await s.alice.api('POST', '/api/repos/move', names);
      await commit(s.alice, 'rows', 'More', { 'more.csv': 'c\n' });
      await s.alice.git('rows', 'push', '-q');
      await s.alice.git('rows', 'fetch', '-q');
      expect(await served(s, 'more.csv', 'main', 'datasets/acme/tables')).toBe('c\n');
    },
  ],
];

export const writers: Step[] = [
  [
    'a squashed branch is fetched',
    async (s) => {
      await s.alice.git('net', 'push', '-q', 'origin', 'main:refs/heads/old');
      await s.alice.api('POST', '/api/models/acme/net/super-squash/old', { message: 'All in one' });
      await s.alice.git('net', 'fetch', '-q');
      expect(await s.alice.git('net', 'rev-list', '--count', 'origin/old')).toBe('1');
      expect(await s.alice.git('net', 'diff', '--stat', 'main', 'origin/old')).toBe('');
    },
  ],
  [
    'two people push to one branch by turns until both have all of it',
    async (s) => {
      const write = async (who: GitPerson) => {
        for (let n = 0; n < 8; n++) {
          await commit(who, 'net', `${who.name} ${n}`, { [`turns/${who.name}-${n}`]: `${n}\n` });
          for (let tries = 0; (await who.try('net', 'push', '-q', 'origin', 'main')).code !== 0; tries++) {
            if (tries > 40) throw new Error(`${who.name} does not get through`);
            await who.git('net', 'pull', '-q', '--rebase');
          }
        }
      };
      await Promise.all([write(s.alice), write(s.bob)]);
      for (const who of [s.alice, s.bob]) await who.git('net', 'pull', '-q', '--rebase');
      expect(await head(s.alice, 'net')).toBe(await head(s.bob, 'net'));
      expect((await s.alice.git('net', 'ls-files', 'turns')).split('\n')).toHaveLength(16);
    },
  ],
  [
    'a restored branch is where it was',
    async (s) => {
      const before = await head(s.alice, 'net', 'origin/picked');
      await s.bob.git('net', 'push', '-q', 'origin', '--delete', 'picked');
      await s.bob.git('net', 'push', '-q', 'origin', `${before}:refs/heads/picked`);
      expect(await refsOf(s)).toContain(`refs/heads/picked ${before}`);
    },
  ],
];

export const end: Step[] = [
  [
    'every clone passes fsck',
    async (s) => {
      for (const who of [s.alice, s.bob]) await who.git('net', 'fsck', '--full');
      for (const clone of ['weights', 'pointers', 'anonymous', 'all.git', 'single'])
        await s.carol.git(clone, 'fsck', '--full');
    },
  ],
  [
    'all refs and ids are those of a mirror kept by plain git',
    async (s) => {
      await s.alice.git('net', 'fetch', '-q', '--prune', '--prune-tags', 'origin');
      const refspecs = ['+refs/remotes/origin/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
      await s.alice.git(
        'net',
        '-c',
        'lfs.locksverify=false',
        'push',
        '-q',
        '--no-verify',
        s.mirror,
        ...refspecs,
      );
      const mirrored = (await refsSeenBy(s.alice, s.mirror)).filter(
        (line) => !line.startsWith('refs/heads/HEAD '),
      );
      expect(await refsOf(s)).toEqual(mirrored);
      expect(await refsSeenBy(s.alice, s.alice.remote('acme/net'))).toEqual(mirrored);
      await s.alice.git('', '-C', s.mirror, 'fsck', '--full');
    },
  ],
];
