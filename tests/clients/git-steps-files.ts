import { chmod, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { commit, head, put, refsOf, type Step, served, sha256Of, writeNoise } from './git-session.ts';

export const contents: Step[] = [
  [
    'renames, executables and links keep their kind',
    async (s) => {
      await s.alice.git('net', 'switch', '-q', 'main');
      await s.alice.git('net', 'pull', '-q');
      await s.alice.git('net', 'mv', 'src/b.py', 'src/c.py');
      await put(s.alice, 'net', 'run.sh', '#!/bin/sh\n');
      await chmod(join(s.alice.at('net'), 'run.sh'), 0o755);
      await symlink('src/a.py', join(s.alice.at('net'), 'link'));
      await commit(s.alice, 'net', 'Kinds', {});
      await s.alice.git('net', 'push', '-q');
      await s.bob.git('net', 'pull', '-q');
      expect(await s.bob.git('net', 'ls-files', '-s')).toMatch(/100755 \w+ 0\trun\.sh/);
      expect(await s.bob.git('net', 'ls-files', '-s')).toMatch(/120000 \w+ 0\tlink/);
      expect([await served(s, 'src/b.py'), await served(s, 'link')]).toEqual(['HTTP 404', 'src/a.py']);
    },
  ],
  [
    'names in any script',
    async (s) => {
      await commit(s.alice, 'net', '改名 😀', { '模型/é 😀.txt': 'ü\n', 'a b/c%20d?.txt': 'q\n' });
      await s.alice.git('net', 'push', '-q');
      expect(await served(s, `${encodeURIComponent('模型')}/${encodeURIComponent('é 😀.txt')}`)).toBe('ü\n');
      expect(await served(s, `a%20b/${encodeURIComponent('c%20d?.txt')}`)).toBe('q\n');
    },
  ],
  [
    'three hundred commits in one push',
    async (s) => {
      await s.alice.git('net', 'switch', '-qc', 'long');
      for (let n = 0; n < 300; n++)
        await s.alice.git('net', 'commit', '-q', '--allow-empty', '-m', `Step ${n}`);
      await s.alice.git('net', 'push', '-q', 'origin', 'long');
      expect(await refsOf(s)).toContain(`refs/heads/long ${await head(s.alice, 'net')}`);
      await s.alice.git('net', 'switch', '-q', 'main');
    },
  ],
  [
    'a thousand files in one commit',
    async (s) => {
      for (let n = 0; n < 1000; n++) await put(s.alice, 'net', `many/${n % 20}/${n}.json`, `{"n": ${n}}\n`);
      await commit(s.alice, 'net', 'Many', {});
      await s.alice.git('net', 'push', '-q');
      expect(await served(s, 'many/19/999.json')).toBe('{"n": 999}\n');
    },
  ],
  [
    'a file that belongs into LFS is refused with the way to mend it',
    async (s) => {
      await s.bob.git('net', 'pull', '-q');
      await writeNoise(join(s.bob.at('net'), 'big.dat'), 11 << 20);
      await commit(s.bob, 'net', 'Big', {});
      const said = await s.bob.refused('net', 'push', 'origin', 'main');
      expect(said).toMatch(/larger than 10 MiB/);
      expect(said).toContain('big.dat');
      await s.bob.git('net', 'reset', '-q', '--hard', 'origin/main');
    },
  ],
  [
    'a pointer without its bytes is refused',
    async (s) => {
      const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'ab'.repeat(32)}\nsize 5\n`;
      await commit(s.bob, 'net', 'Lost', { 'lost.txt': pointer });
      expect(await s.bob.refused('net', 'push', 'origin', 'main')).toMatch(/lost\.txt|abab/);
      await s.bob.git('net', 'reset', '-q', '--hard', 'origin/main');
    },
  ],
  [
    'metadata that does not parse is refused',
    async (s) => {
      await commit(s.bob, 'net', 'Card', { 'README.md': '---\ntags: [a\n---\n# Net\n' });
      expect(await s.bob.refused('net', 'push', 'origin', 'main')).toMatch(/metadata/);
      await s.bob.git('net', 'reset', '-q', '--hard', 'origin/main');
    },
  ],
];

export const large: Step[] = [
  [
    'LFS is set up and files of any size are pushed',
    async (s) => {
      for (const who of [s.alice, s.bob, s.carol]) await who.git('', 'lfs', 'install', '--skip-repo');
      await s.alice.git('net', 'lfs', 'install', '--local');
      await writeNoise(join(s.alice.at('net'), 'weights/small.safetensors'), 4096);
      await writeNoise(join(s.alice.at('net'), 'weights/one.bin'), 3 << 20);
      await writeNoise(join(s.alice.at('net'), 'weights/huge.safetensors'), s.lfsBytes);
      await commit(s.alice, 'net', 'Weights', {});
      await s.alice.git('net', 'push', '-q');
      expect(await s.alice.git('net', 'lfs', 'ls-files')).toContain('weights/huge.safetensors');
    },
  ],
  [
    'they are cloned with the same bytes',
    async (s) => {
      await s.carol.git('', 'clone', '-q', s.carol.remote('acme/net'), 'weights');
      for (const name of ['small.safetensors', 'one.bin', 'huge.safetensors'])
        expect(await sha256Of(join(s.carol.at('weights'), 'weights', name))).toBe(
          await sha256Of(join(s.alice.at('net'), 'weights', name)),
        );
    },
  ],
  [
    'fetched apart from the clone',
    async (s) => {
      const url = s.carol.remote('acme/net');
      await s.carol.git('', '-c', 'lfs.fetchexclude=*', 'clone', '-q', url, 'pointers');
      const path = join(s.carol.at('pointers'), 'weights/one.bin');
      expect(await readFile(path, 'utf8')).toContain('oid sha256:');
      await s.carol.git('pointers', 'lfs', 'pull', '--include', 'weights/one.bin');
      expect(await sha256Of(path)).toBe(await sha256Of(join(s.alice.at('net'), 'weights/one.bin')));
    },
  ],
  [
    'a newer version leaves the older one readable',
    async (s) => {
      const before = await sha256Of(join(s.alice.at('net'), 'weights/one.bin'));
      await writeNoise(join(s.alice.at('net'), 'weights/one.bin'), 3 << 20);
      await commit(s.alice, 'net', 'Train on', {});
      await s.alice.git('net', 'push', '-q');
      await s.carol.git('weights', 'pull', '-q');
      await s.carol.git('weights', 'checkout', '-q', 'HEAD~1');
      expect(await sha256Of(join(s.carol.at('weights'), 'weights/one.bin'))).toBe(before);
      await s.carol.git('weights', 'checkout', '-q', 'main');
    },
  ],
  [
    'a file that was never pushed is pushed by its own command',
    async (s) => {
      await writeNoise(join(s.alice.at('net'), 'weights/later.bin'), 9999);
      await commit(s.alice, 'net', 'Later', {});
      await s.alice.git('net', 'lfs', 'push', 'origin', 'main');
      await s.alice.git('net', 'push', '-q');
      await s.alice.git('net', 'lfs', 'fsck');
    },
  ],
  [
    'all versions are fetched at once',
    async (s) => {
      await s.carol.git('weights', 'pull', '-q');
      await s.carol.git('weights', 'lfs', 'fetch', '--all');
      await s.carol.git('weights', 'lfs', 'fsck');
    },
  ],
];

export const locks: Step[] = [
  [
    'a file is locked, and the lock is seen by others',
    async (s) => {
      await s.alice.git('net', 'lfs', 'lock', 'weights/one.bin');
      await s.bob.git('net', 'pull', '-q');
      expect(await s.bob.git('net', 'lfs', 'locks')).toMatch(/weights\/one\.bin\s+alice/);
    },
  ],
  [
    'a second lock is refused, naming who has the first',
    async (s) =>
      expect(await s.bob.refused('net', 'lfs', 'lock', 'weights/one.bin')).toMatch(/already|exists|alice/i),
  ],
  [
    'a push that changes a locked file is stopped',
    async (s) => {
      await s.bob.git('net', 'config', 'lfs.locksverify', 'true');
      await s.bob.git('net', 'config', 'lfs.setlockablereadonly', 'false');
      await writeNoise(join(s.bob.at('net'), 'weights/one.bin'), 1000);
      await s.bob.git('net', 'lfs', 'install', '--local');
      await commit(s.bob, 'net', 'Against the lock', {});
      expect(await s.bob.refused('net', 'push', 'origin', 'main')).toMatch(/locked/i);
      await s.bob.git('net', 'reset', '-q', '--hard', 'origin/main');
    },
  ],
  [
    'only its owner unlocks it without force',
    async (s) => {
      expect(await s.bob.refused('net', 'lfs', 'unlock', 'weights/one.bin')).toMatch(
        /force|owner|alice|lock/i,
      );
      await s.alice.git('net', 'lfs', 'unlock', 'weights/one.bin');
      expect(await s.bob.git('net', 'lfs', 'locks')).not.toContain('one.bin');
    },
  ],
  [
    'a forgotten lock is broken by force',
    async (s) => {
      await s.bob.git('net', 'lfs', 'lock', 'weights/later.bin');
      await s.alice.git('net', 'lfs', 'unlock', '--force', 'weights/later.bin');
      expect(await s.alice.git('net', 'lfs', 'locks')).not.toContain('later.bin');
    },
  ],
];
