import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { commit, head, put, refsOf, type Step, served } from './git-session.ts';

export const begin: Step[] = [
  [
    'a repo is made and cloned by two people, with and without the suffix',
    async (s) => {
      await s.alice.api('POST', '/api/repos/create', { name: 'net', organization: 'acme' });
      await s.alice.git('', 'clone', '-q', s.alice.remote('acme/net'), 'net');
      await s.bob.git('', 'clone', '-q', s.bob.remote('acme/net', ''), 'net');
      await s.alice.git('', 'init', '-q', '--bare', s.mirror);
      expect(existsSync(join(s.alice.at('net'), '.gitattributes'))).toBe(true);
    },
  ],
  [
    'a commit is pushed and served at once',
    async (s) => {
      await commit(s.alice, 'net', 'Begin', { 'README.md': '# Net\n', 'src/a.py': 'a = 1\n' });
      await s.alice.git('net', 'push', '-q', 'origin', 'main');
      expect(await served(s, 'src/a.py')).toBe('a = 1\n');
    },
  ],
  [
    'the other one pulls and pushes',
    async (s) => {
      await s.bob.git('net', 'pull', '-q');
      await commit(s.bob, 'net', 'Add b', { 'src/b.py': 'b = 1\n' });
      await s.bob.git('net', 'push', '-q');
      expect(await served(s, 'src/b.py')).toBe('b = 1\n');
    },
  ],
  [
    'who is behind is refused and told to fetch first',
    async (s) => {
      await commit(s.alice, 'net', 'Change a', { 'src/a.py': 'a = 2\n' });
      expect(await s.alice.refused('net', 'push', 'origin', 'main')).toMatch(
        /rejected.*fetch first|non-fast-forward/,
      );
    },
  ],
  [
    'rebases, and is accepted',
    async (s) => {
      await s.alice.git('net', 'pull', '-q', '--rebase');
      await s.alice.git('net', 'push', '-q', 'origin', 'main');
      expect([await served(s, 'src/a.py'), await served(s, 'src/b.py')]).toEqual(['a = 2\n', 'b = 1\n']);
    },
  ],
  [
    'a push without anything new says so',
    async (s) => expect(await s.alice.git('net', 'push', 'origin', 'main')).toContain('up-to-date'),
  ],
  [
    'a commit over HTTP arrives by fetch',
    async (s) => {
      const lines = [
        { key: 'header', value: { summary: 'By HTTP' } },
        { key: 'file', value: { path: 'http.txt', content: 'http', encoding: 'utf-8' } },
      ];
      const res = await fetch(`${s.hub.url}/api/models/acme/net/commit/main`, {
        method: 'POST',
        headers: { authorization: `Bearer ${s.bob.token}`, 'content-type': 'application/x-ndjson' },
        body: lines.map((line) => JSON.stringify(line)).join('\n'),
      });
      const { commitOid } = (await res.json()) as { commitOid: string };
      await s.alice.git('net', 'pull', '-q');
      expect(await head(s.alice, 'net')).toBe(commitOid);
    },
  ],
];

export const branches: Step[] = [
  [
    'a branch is pushed and listed',
    async (s) => {
      await s.alice.git('net', 'switch', '-qc', 'feat/x');
      await commit(s.alice, 'net', 'X', { 'x.txt': 'x\n' });
      await s.alice.git('net', 'push', '-qu', 'origin', 'feat/x');
      expect(await refsOf(s)).toContain(`refs/heads/feat/x ${await head(s.alice, 'net')}`);
    },
  ],
  [
    'a branch made over HTTP is fetched',
    async (s) => {
      await s.bob.api('POST', '/api/models/acme/net/branch/by-http', { startingPoint: 'feat/x' });
      await s.alice.git('net', 'fetch', '-q');
      expect(await head(s.alice, 'net', 'origin/by-http')).toBe(await head(s.alice, 'net'));
    },
  ],
  [
    'amended and forced',
    async (s) => {
      await put(s.alice, 'net', 'x.txt', 'x2\n');
      await s.alice.git('net', 'commit', '-qa', '--amend', '-m', 'X, again');
      expect(await s.alice.refused('net', 'push', 'origin', 'feat/x')).toContain('rejected');
      await s.alice.git('net', 'push', '-q', '--force', 'origin', 'feat/x');
      expect(await served(s, 'x.txt', 'feat/x')).toBe('x2\n');
    },
  ],
  [
    'a lease that has run out is refused',
    async (s) => {
      await s.bob.git('net', 'fetch', '-q');
      await s.bob.git('net', 'switch', '-q', 'feat/x');
      await commit(s.bob, 'net', 'More X', { 'x.txt': 'x3\n' });
      await s.bob.git('net', 'push', '-q');
      await s.alice.git('net', 'commit', '-q', '--allow-empty', '-m', 'Empty');
      expect(await s.alice.refused('net', 'push', '--force-with-lease', 'origin', 'feat/x')).toContain(
        'stale',
      );
      await s.alice.git('net', 'fetch', '-q');
      await s.alice.git('net', 'reset', '-q', '--hard', 'origin/feat/x');
    },
  ],
  [
    'rebased onto main and forced with a lease',
    async (s) => {
      await s.alice.git('net', 'rebase', '-q', 'main');
      await s.alice.git('net', 'push', '-q', '--force-with-lease', 'origin', 'feat/x');
      expect(await refsOf(s)).toContain(`refs/heads/feat/x ${await head(s.alice, 'net')}`);
    },
  ],
  [
    'merged with a merge commit',
    async (s) => {
      await s.alice.git('net', 'switch', '-q', 'main');
      await s.alice.git('net', 'merge', '-q', '--no-ff', '-m', 'Merge feat/x', 'feat/x');
      await s.alice.git('net', 'push', '-q', 'origin', 'main');
      const total = Number(await s.alice.git('net', 'rev-list', '--count', 'HEAD'));
      const res = await fetch(`${s.hub.url}/api/models/acme/net/commits/main`, {
        headers: { authorization: `Bearer ${s.alice.token}` },
      });
      expect(Number(res.headers.get('x-total-count'))).toBe(total);
    },
  ],
  [
    'a branch is deleted by push, and the default branch is not',
    async (s) => {
      await s.alice.git('net', 'push', '-q', 'origin', '--delete', 'by-http');
      expect((await refsOf(s)).join('\n')).not.toContain('by-http');
      expect(await s.alice.refused('net', 'push', 'origin', '--delete', 'main')).toMatch(/default branch/);
    },
  ],
  [
    'a change is reverted and another picked',
    async (s) => {
      await s.bob.git('net', 'switch', '-q', 'main');
      await s.bob.git('net', 'pull', '-q');
      await commit(s.bob, 'net', 'Mistake', { 'src/b.py': 'b = broken\n' });
      await s.bob.git('net', 'revert', '--no-edit', 'HEAD');
      await s.bob.git('net', 'push', '-q');
      expect(await served(s, 'src/b.py')).toBe('b = 1\n');
      await s.bob.git('net', 'switch', '-qc', 'picked', 'HEAD~2');
      await s.bob.git('net', 'cherry-pick', 'main~1');
      await s.bob.git('net', 'push', '-q', 'origin', 'picked');
      expect(await served(s, 'src/b.py', 'picked')).toBe('b = broken\n');
    },
  ],
  [
    'a protected branch moves forward only',
    async (s) => {
      await s.alice.git('net', 'pull', '-q');
      await s.alice.git('net', 'push', '-q', 'origin', 'main:refs/heads/stable');
      await s.alice.api('POST', '/api/models/acme/net/protected-branches', { pattern: 'stable' });
      expect(await s.bob.refused('net', 'push', '--force', 'origin', 'main~1:stable')).toContain('protected');
      expect(await s.bob.refused('net', 'push', 'origin', '--delete', 'stable')).toContain('protected');
      await s.bob.git('net', 'switch', '-q', 'main');
      await s.bob.git('net', 'push', '-q', 'origin', 'main:stable');
    },
  ],
  [
    'of an atomic push with one bad ref nothing moves, without atomic the good one does',
    async (s) => {
      const before = await refsOf(s);
      await s.bob.git('net', 'branch', '-f', 'good', 'main');
      const refspecs = ['good', '+main~1:stable'];
      await s.bob.refused('net', 'push', '--atomic', 'origin', ...refspecs);
      expect(await refsOf(s)).toEqual(before);
      await s.bob.refused('net', 'push', 'origin', ...refspecs);
      expect(await refsOf(s)).toEqual(
        [...before, `refs/heads/good ${await head(s.bob, 'net', 'good')}`].sort(),
      );
    },
  ],
  [
    'two hundred branches are pushed at once, fetched, and deleted at once',
    async (s) => {
      const names = Array.from({ length: 200 }, (_, n) => `many/${n}`);
      for (const name of names) await s.bob.git('net', 'branch', name, 'main');
      await s.bob.git('net', 'push', '-q', 'origin', ...names);
      await s.alice.git('net', 'fetch', '-q');
      expect((await s.alice.git('net', 'branch', '-r')).split('many/').length - 1).toBe(200);
      await s.bob.git('net', 'push', '-q', 'origin', '--delete', ...names);
      await s.alice.git('net', 'fetch', '-q', '--prune');
      expect(await s.alice.git('net', 'branch', '-r')).not.toContain('many/');
      await s.bob.git('net', 'branch', '-q', '-D', ...names);
    },
  ],
];
