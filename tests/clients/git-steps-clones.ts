import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { head, refsOf, refsSeenBy, type Step, served } from './git-session.ts';

export const tags: Step[] = [
  [
    'tags, light and annotated, are pushed and peeled',
    async (s) => {
      await s.alice.git('net', 'fetch', '-q');
      await s.alice.git('net', 'tag', 'v1', 'main');
      await s.alice.git('net', 'tag', '-a', 'v2', '-m', 'Two', 'main');
      await s.alice.git('net', 'push', '-q', 'origin', '--tags');
      const main = await head(s.alice, 'net', 'main');
      expect(await refsOf(s)).toEqual(
        expect.arrayContaining([`refs/tags/v1 ${main}`, `refs/tags/v2 ${main}`]),
      );
      expect(await served(s, 'src/a.py', 'v2')).toBe('a = 2\n');
    },
  ],
  [
    'a tag made over HTTP is the same to git',
    async (s) => {
      await s.bob.api('POST', '/api/models/acme/net/tag/main', { tag: 'v3', message: 'Three' });
      await s.alice.git('net', 'fetch', '-q', '--tags');
      expect(await s.alice.git('net', 'cat-file', '-t', 'v3')).toBe('tag');
      expect(await s.alice.git('net', 'tag', '-n', '--list', 'v3')).toContain('Three');
    },
  ],
  [
    'a tag is moved only by force, and deleted',
    async (s) => {
      await s.alice.git('net', 'tag', '-f', 'v1', 'main~1');
      expect(await s.alice.refused('net', 'push', 'origin', 'v1')).toContain('rejected');
      await s.alice.git('net', 'push', '-q', '-f', 'origin', 'v1');
      expect(await refsOf(s)).toContain(`refs/tags/v1 ${await head(s.alice, 'net', 'main~1')}`);
      await s.alice.git('net', 'push', '-q', 'origin', ':refs/tags/v1');
      expect((await refsOf(s)).join('\n')).not.toContain('refs/tags/v1 ');
    },
  ],
];

export const clones: Step[] = [
  [
    'a shallow clone is deepened, then made whole',
    async (s) => {
      const url = s.carol.remote('acme/net');
      await s.carol.git('', 'clone', '-q', '--depth', '1', url, 'shallow');
      expect(await s.carol.git('shallow', 'rev-list', '--count', 'HEAD')).toBe('1');
      await s.carol.git('shallow', 'fetch', '-q', '--deepen', '2');
      expect(Number(await s.carol.git('shallow', 'rev-list', '--count', 'HEAD'))).toBeGreaterThan(2);
      await s.carol.git('shallow', 'fetch', '-q', '--unshallow');
      expect(await s.carol.git('shallow', 'rev-list', '--count', 'HEAD')).toBe(
        await s.alice.git('net', 'rev-list', '--count', 'origin/main'),
      );
      await s.carol.git('shallow', 'fsck', '--full');
    },
  ],
  [
    'a clone since a date is shallow',
    async (s) => {
      await s.carol.git(
        '',
        'clone',
        '-q',
        '--shallow-since',
        '2000-01-01',
        s.carol.remote('acme/net'),
        'since',
      );
      await s.carol.git('since', 'fsck', '--full');
    },
  ],
  [
    'a partial clone fetches contents when they are looked at',
    async (s) => {
      const url = s.carol.remote('acme/net');
      await s.carol.git('', 'clone', '-q', '--filter=blob:none', '--no-checkout', url, 'partial');
      const missing = () => s.carol.git('partial', 'rev-list', '--objects', '--missing=print', 'HEAD');
      expect(await missing()).toContain('?');
      await s.carol.git('partial', 'checkout', '-q', 'main');
      expect(await readFile(join(s.carol.at('partial'), 'src/a.py'), 'utf8')).toBe('a = 2\n');
    },
  ],
  [
    'other filters, and one that is not served',
    async (s) => {
      const url = s.carol.remote('acme/net');
      await s.carol.git('', 'clone', '-q', '--filter=blob:limit=1k', url, 'limited');
      await s.carol.git('', 'clone', '-q', '--filter=tree:0', url, 'treeless');
      expect(await readFile(join(s.carol.at('treeless'), 'src/a.py'), 'utf8')).toBe('a = 2\n');
      await s.carol.refused('', 'clone', '-q', `--filter=sparse:oid=${'1'.repeat(40)}`, url, 'sparse');
    },
  ],
  [
    'one branch alone',
    async (s) => {
      await s.carol.git(
        '',
        'clone',
        '-q',
        '--single-branch',
        '-b',
        'picked',
        s.carol.remote('acme/net'),
        'single',
      );
      expect(await s.carol.git('single', 'branch', '-r')).toBe('origin/picked');
    },
  ],
  [
    'protocol versions 0, 1 and 2 give the same',
    async (s) => {
      const heads: string[] = [];
      for (const version of [0, 1, 2]) {
        const clone = `v${version}`;
        const url = s.carol.remote('acme/net');
        await s.carol.git('', '-c', `protocol.version=${version}`, 'clone', '-q', url, clone);
        await s.carol.git(clone, 'fsck', '--full');
        heads.push(await s.carol.git(clone, 'for-each-ref', '--format=%(refname) %(objectname)'));
      }
      expect(new Set(heads).size).toBe(1);
    },
  ],
  [
    'HEAD is the default branch',
    async (s) => {
      const said = await s.carol.git('', 'ls-remote', '--symref', s.carol.remote('acme/net'), 'HEAD');
      expect(said).toContain('ref: refs/heads/main\tHEAD');
    },
  ],
  [
    'a mirror has every ref, and a bundle made of it holds',
    async (s) => {
      await s.carol.git('', 'clone', '-q', '--mirror', s.carol.remote('acme/net'), 'all.git');
      await s.carol.git('all.git', 'bundle', 'create', '-q', 'all.bundle', '--all');
      await s.carol.git('all.git', 'bundle', 'verify', '-q', 'all.bundle');
      expect(await refsSeenBy(s.carol, s.carol.at('all.git'))).toEqual(await refsOf(s));
    },
  ],
];
