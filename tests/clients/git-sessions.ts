import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { GitPerson } from './git-person.ts';

const TOKENS = { alice: 'a', bob: 'b', carol: 'c' } as const;
const tokenOf = (name: keyof typeof TOKENS) => `hf_${TOKENS[name].repeat(37)}`;

/** Two writers and a reader of one organization. */
export const SESSION_SEED = {
  users: (['alice', 'bob', 'carol'] as const).map((name) => ({
    name,
    fullname: name,
    tokens: [{ name: 't', token: tokenOf(name), role: 'write' }],
  })),
  organizations: [
    {
      name: 'acme',
      fullname: 'Acme',
      members: [
        { user: 'alice', role: 'admin' },
        { user: 'bob', role: 'write' },
        { user: 'carol', role: 'read' },
      ],
    },
  ],
};

export interface Session {
  readonly hub: Hub;
  readonly folder: string;
  readonly alice: GitPerson;
  readonly bob: GitPerson;
  readonly carol: GitPerson;
  /** A bare repo kept by plain git: everything that the hub accepts is pushed there as well. */
  readonly mirror: string;
  /** Bytes of the one very large file. */
  readonly lfsBytes: number;
}

/** One step: what is done, and doing it. */
export type Step = readonly [title: string, run: (s: Session) => Promise<void>];

export function beginSession(hub: Hub, folder: string, lfsBytes: number): Session {
  const person = (name: keyof typeof TOKENS) => new GitPerson(hub, folder, name, tokenOf(name));
  const [alice, bob, carol] = [person('alice'), person('bob'), person('carol')];
  return { hub, folder, alice, bob, carol, mirror: join(folder, 'mirror.git'), lfsBytes };
}

async function put(who: GitPerson, clone: string, path: string, text: string | Buffer): Promise<void> {
  const full = join(who.at(clone), path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text);
}

async function commit(who: GitPerson, clone: string, message: string, files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) await put(who, clone, path, text);
  await who.git(clone, 'add', '-A');
  await who.git(clone, 'commit', '-qm', message);
}

/** Bytes of a file at a revision as the hub serves them over HTTP. */
async function served({ hub, alice }: Session, path: string, revision = 'main', repo = 'acme/net') {
  const url = `${hub.url}/${repo}/resolve/${encodeURIComponent(revision)}/${path}`;
  const res = await fetch(url, { headers: { authorization: `Bearer ${alice.token}` } });
  return res.ok ? Buffer.from(await res.arrayBuffer()).toString() : `HTTP ${res.status}`;
}

const head = (who: GitPerson, clone: string, ref = 'HEAD') => who.git(clone, 'rev-parse', ref);

/** What the hub's API says of refs, as `name oid` lines; annotated tags are peeled there. */
async function refsOf({ alice }: Session): Promise<string[]> {
  const refs = await alice.api<Record<string, { ref: string; targetCommit: string }[]>>(
    'GET',
    '/api/models/acme/net/refs',
  );
  return [...(refs.branches ?? []), ...(refs.tags ?? [])]
    .map(({ ref, targetCommit }) => `${ref} ${targetCommit}`)
    .sort();
}

/** All branches and tags of a remote as git itself sees them, peeled. */
async function refsSeenBy(who: GitPerson, url: string): Promise<string[]> {
  const peeled = new Map<string, string>();
  for (const line of (await who.git('', 'ls-remote', url)).split('\n')) {
    const [oid = '', name = ''] = line.split('\t');
    if (/^refs\/(?:heads|tags)\//.test(name)) peeled.set(name.replace(/\^\{\}$/, ''), oid);
  }
  return [...peeled].map(([name, oid]) => `${name} ${oid}`).sort();
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** A file of random bytes, written piece by piece. */
async function writeNoise(path: string, bytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  for (let left = bytes; left > 0; left -= 1 << 20) await file.write(randomBytes(Math.min(left, 1 << 20)));
  await file.close();
}

const begin: Step[] = [
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

const branches: Step[] = [
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

const tags: Step[] = [
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

const clones: Step[] = [
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

const contents: Step[] = [
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

const large: Step[] = [
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

const locks: Step[] = [
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

const pulls: Step[] = [
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

const rights: Step[] = [
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

const writers: Step[] = [
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

const end: Step[] = [
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

/** Everything, in order; each step builds on those before. */
export const STEPS: readonly Step[] = [
  ...begin,
  ...branches,
  ...tags,
  ...clones,
  ...contents,
  ...large,
  ...locks,
  ...pulls,
  ...rights,
  ...writers,
  ...end,
];
