import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GitPerson } from '../clients/git-person.ts';
import { startHubWithPages } from '../e2e/browser.ts';
import type { Hub } from '../support/hub.ts';

const FORGED = '{"level":50,"msg":"forged line"}';
const ESC = '\u001b';
/** Names that a terminal, a header, a log or a page could take for something else. */
const NAMES = [
  `red${ESC}[31m.txt`,
  `line\n${FORGED}\n.txt`,
  'header\r\nset-cookie: stolen=1.txt',
  'tab\t.txt',
  'rtl\u202egpj.exe',
  'del\u007f\u0085\u2028.txt',
  `<img src=x onerror=alert(1)>'".txt`,
];
const BRANCH = 'ünsafe/<b>\u202egpj';
const AUTHOR = `Eve ${ESC}]0;owned\u0007 \u202e<b>`;
const MESSAGE = `title ${ESC}[2J\u202e <script>alert(1)</script>\r${FORGED}\n\nbody ${ESC}[31m\n${FORGED}\n`;

let hub: Hub;
let folder: string;
let alice: GitPerson;

beforeAll(async () => {
  hub = await startHubWithPages({ env: { LOG_LEVEL: 'debug' } });
  folder = await mkdtemp(join(tmpdir(), 'larder-push-content-'));
  alice = new GitPerson(hub, folder, 'admin', hub.adminToken);
}, 240_000);
afterAll(async () => {
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

async function begin(name: string): Promise<void> {
  await alice.api('POST', '/api/repos/create', { name });
  await alice.git('', 'clone', '-q', alice.remote(`admin/${name}`), name);
}

async function put(clone: string, path: string, text: string): Promise<void> {
  const at = join(alice.at(clone), path);
  await mkdir(dirname(at), { recursive: true });
  await writeFile(at, text);
}

async function ask(path: string) {
  const answer = await fetch(hub.url + path, { headers: { authorization: `Bearer ${hub.adminToken}` } });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** No header holds anything but printable ASCII, and none was added by what a name holds. */
function expectPlainHeaders(headers: Headers, what: string): void {
  for (const [name, value] of headers) expect(value, `${what} ${name}`).toMatch(/^[\x20-\x7e]*$/);
  expect(headers.get('set-cookie') ?? '').not.toContain('stolen');
}
/** Control characters but tab and newline. */
const CONTROLS = /[^\P{Cc}\t\n\x7f-\x9f]/u;

describe('H36 names, authors and messages that are more than text', () => {
  beforeAll(async () => {
    await begin('odd');
    for (const name of NAMES) await put('odd', name, `of ${JSON.stringify(name)}`);
    await writeFile(join(folder, 'message'), MESSAGE);
    await alice.git('odd', 'add', '-A');
    await alice.git(
      'odd',
      '-c',
      `user.name=${AUTHOR}`,
      'commit',
      '-q',
      '--cleanup=verbatim',
      '--author',
      `${AUTHOR} <eve@example.org>`,
      '-F',
      join(folder, 'message'),
    );
    await alice.git('odd', 'push', '-q', 'origin', 'HEAD:main', `HEAD:refs/heads/${BRANCH}`);
  });

  test('come back as they were pushed, byte for byte', async () => {
    await alice.git('', 'clone', '-q', alice.remote('admin/odd'), 'back');
    for (const name of NAMES)
      expect(await readFile(join(alice.at('back'), name), 'utf8')).toBe(`of ${JSON.stringify(name)}`);
    expect(await alice.git('back', 'rev-parse', `origin/${BRANCH}`)).toBe(
      await alice.git('odd', 'rev-parse', 'HEAD'),
    );
  });

  test('are escaped in JSON, whole, and no header holds them raw', async () => {
    const tree = await ask('/api/models/admin/odd/tree/main');
    expect((JSON.parse(tree.text) as { path: string }[]).map(({ path }) => path)).toEqual(
      expect.arrayContaining(NAMES),
    );
    const commits = await ask('/api/models/admin/odd/commits/main');
    const [first] = JSON.parse(commits.text) as {
      title: string;
      message: string;
      authors: { user: string }[];
    }[];
    expect(first?.title).toContain('title');
    const refs = await ask('/api/models/admin/odd/refs');
    expect(refs.text).toContain(JSON.stringify(BRANCH));
    const branch = encodeURIComponent(BRANCH);
    for (const path of [
      '/api/models/admin/odd/tree/main?limit=2',
      `/api/models/admin/odd/tree/${branch}?limit=2&expand=true`,
      `/api/models/admin/odd/revision/${branch}`,
      `/api/models/admin/odd/commits/${branch}?limit=1`,
      `/api/models/admin/odd/compare/main..${branch}`,
    ]) {
      const answer = await ask(path);
      expect(answer.status, path).toBe(200);
      expect(answer.text, path).not.toMatch(CONTROLS);
      expectPlainHeaders(answer.headers, path);
    }
    for (const { text } of [tree, commits, refs]) expect(text).not.toMatch(CONTROLS);
    for (const name of NAMES)
      for (const view of ['resolve', 'raw'])
        for (const revision of ['main', branch]) {
          const answer = await ask(`/admin/odd/${view}/${revision}/${encodeURIComponent(name)}`);
          expect([answer.status, answer.text]).toEqual([200, `of ${JSON.stringify(name)}`]);
          expectPlainHeaders(answer.headers, name);
        }
    const missing = await ask(`/admin/odd/resolve/main/${encodeURIComponent(`${NAMES[1]}${ESC}none`)}`);
    expect(missing.status).toBe(404);
    expectPlainHeaders(missing.headers, 'missing');
  });

  test('are text in pages: no markup of theirs, nothing that turns the writing or that a terminal obeys', async () => {
    const branch = encodeURIComponent(BRANCH);
    const pages = [
      '/admin/odd/tree/main',
      `/admin/odd/tree/${branch}`,
      '/admin/odd/commits/main',
      `/admin/odd/commits/${branch}`,
      `/admin/odd/commit/${await alice.git('odd', 'rev-parse', 'HEAD')}`,
      ...NAMES.map((name) => `/admin/odd/blob/main/${encodeURIComponent(name)}`),
    ];
    for (const page of pages) {
      const { status, text, headers } = await ask(page);
      expect(status, page).toBe(200);
      expect(text, page).not.toMatch(/<script>alert|<img src=x|<b>\u202e/);
      // the scripts' data is no text of the page, and the lines of a file are shown as they are
      const content = /\/blob\/|\/commit\//.test(page) ? /<table\b.*?<\/table>|<code>.*?<\/code>/gs : /$^/g;
      const shown = text.replaceAll(/<script\b.*?<\/script>/gs, '').replaceAll(content, '');
      const odd = /.{0,60}[^\P{Cc}\t\n]|.{0,60}\p{Bidi_Control}/u.exec(shown)?.[0];
      expect(odd, page).toBeUndefined();
      expectPlainHeaders(headers, page);
    }
  });

  test('split no line of the log and colour none', async () => {
    const path = `../${ESC}[31m\n${FORGED}\n`;
    const lines = [
      { key: 'header', value: { summary: MESSAGE } },
      { key: 'file', value: { path, content: 'x' } },
    ];
    const refused = await fetch(`${hub.url}/api/models/admin/odd/commit/main`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
    });
    expect(refused.status).toBe(422);
    await expect.poll(() => hub.logs()).toContain('forged line'); // it was told, as part of a line
    const logged = hub
      .logs()
      .split('\n')
      .filter((line) => line.startsWith('{') || line.includes('forged'));
    expect(logged.length).toBeGreaterThan(20);
    for (const line of logged) expect((JSON.parse(line) as { msg: string }).msg).not.toBe('forged line');
    expect(hub.logs()).not.toContain(ESC);
  });

  test('a refusal that quotes them reaches the terminal escaped, in a report that git can read', async () => {
    await begin('quoted');
    const many = Array.from({ length: 25 }, (_, n) => `${n}${ESC}[31m${'\u0001'.repeat(200)}`);
    for (const name of many)
      await put('quoted', `${'\u0001'.repeat(200)}/${'\u0002'.repeat(200)}/${name}`, 'x'.repeat(10_485_761));
    await alice.git('quoted', 'add', '-A');
    await alice.git('quoted', 'commit', '-qm', 'large');
    const large = await alice.refused('quoted', 'push', 'origin', 'HEAD:main');
    expect(large).toMatch(/larger than 10 MiB/);
    expect(large).toMatch(/\[remote rejected\] HEAD -> main \(unpacker error\)/);
    expect(large).not.toContain(`${ESC}[31m`);
    await alice.git('quoted', 'reset', '-q', '--hard', 'origin/main');
    await put(
      'quoted',
      'README.md',
      `---\nbase_model: "${'a'.repeat(70_000)} \\e[31m"\ndatasets: ["\\e[31m\\nforged"]\n---\n`,
    );
    await alice.git('quoted', 'add', '-A');
    await alice.git('quoted', 'commit', '-qm', 'card');
    const card = await alice.refused('quoted', 'push', 'origin', 'HEAD:main');
    expect(card).toMatch(/\[remote rejected\] HEAD -> main \(Invalid metadata in README.md/);
    expect(card).not.toContain(`${ESC}[31m`);
    await put('quoted', 'README.md', `---\nlicense: [${ESC}[31m\n---\n`);
    await alice.git('quoted', 'commit', '-qam', 'broken');
    const broken = await alice.refused('quoted', 'push', 'origin', 'HEAD:main');
    expect(broken).toMatch(/Invalid metadata in README.md/);
    expect(broken).not.toContain(`${ESC}[31m`);
  });
});

test('H37 a file and a folder of one name in one pushed tree are refused, next to each other or not', async () => {
  await begin('twice');
  await put('twice', 'x', 'x');
  await alice.git('twice', 'add', '-A');
  const blob = await alice.git('twice', 'rev-parse', ':x');
  const inner = await alice.git('twice', 'write-tree');
  const bytes = (oid: string) => Buffer.from(oid, 'hex');
  const line = (mode: string, name: string, oid: string) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), bytes(oid)]);
  for (const between of [
    [],
    [line('100644', 'a.b', blob)],
    [line('100644', 'a-', blob), line('100644', 'a.b', blob)],
  ]) {
    const tree = join(folder, 'tree');
    await writeFile(tree, Buffer.concat([line('100644', 'a', blob), ...between, line('40000', 'a', inner)]));
    const oid = await alice.git('twice', 'hash-object', '-t', 'tree', '-w', '--literally', tree);
    const commit = await alice.git('twice', 'commit-tree', '-m', 'twice', oid);
    const said = await alice.refused('twice', 'push', 'origin', `${commit}:refs/heads/twice`);
    expect(said).toMatch(/duplicate|not properly sorted/i);
  }
  expect(await alice.git('twice', 'ls-remote', 'origin', 'refs/heads/twice')).toBe('');
});

test('H42 a symlink is its text at every door, wherever it points', async () => {
  await begin('links');
  const targets = [
    '/etc/passwd',
    '../../../../../../etc/passwd',
    '.git/config',
    '/proc/self/environ',
    'README.md',
  ];
  for (const [n, target] of targets.entries())
    await symlink(target, join(alice.at('links'), `link-${n}.txt`));
  await put('links', 'README.md', '# secret card\n');
  await alice.git('links', 'add', '-A');
  await alice.git('links', 'commit', '-qm', 'links');
  await alice.git('links', 'push', '-q', 'origin', 'HEAD:main');
  for (const [n, target] of targets.entries()) {
    for (const view of ['resolve', 'raw']) {
      const { status, text } = await ask(`/admin/links/${view}/main/link-${n}.txt`);
      expect([status, text]).toEqual([200, target]);
    }
    expect((await ask(`/admin/links/resolve/main/link-${n}.txt/x`)).status).toBe(404);
    const page = await ask(`/admin/links/blob/main/link-${n}.txt`);
    expect(page.status).toBe(200);
    expect(page.text).toContain(target);
    expect(page.text).not.toMatch(/root:x:0|LARDER_ADMIN|repositoryformatversion|secret card/);
  }
  await symlink('/etc', join(alice.at('links'), 'README'));
  await rm(join(alice.at('links'), 'README.md'));
  await symlink('/etc/passwd', join(alice.at('links'), 'README.md'));
  await alice.git('links', 'add', '-A');
  await alice.git('links', 'commit', '-qm', 'card');
  await alice.git('links', 'push', '-q', 'origin', 'HEAD:main');
  for (const path of ['/admin/links', '/api/models/admin/links', '/admin/links/tree/main'])
    expect((await ask(path)).text).not.toMatch(/root:x:0/);
  expect((await ask('/admin/links/resolve/main/README/passwd')).status).toBe(404);
});

test('H57 attributes, filters, configuration, hooks and alternates are content, and do nothing on the server', async () => {
  await begin('inert');
  const marker = join(folder, 'was-run');
  const script = `#!/bin/sh\ntouch ${marker}\n`;
  const files: Record<string, string> = {
    '.gitattributes':
      '* filter=evil diff=evil merge=evil\n*.txt export-subst ident text eol=crlf\nw.txt working-tree-encoding=UTF-16\nhidden export-ignore\n',
    '.gitconfig': `[filter "evil"]\n\tclean = touch ${marker}\n\tsmudge = touch ${marker}\n[core]\n\tfsmonitor = touch ${marker}\n`,
    config: `[core]\n\thooksPath = hooks\n[uploadpack]\n\tpackObjectsHook = touch ${marker}\n`,
    HEAD: 'ref: refs/heads/evil\n',
    'objects/info/alternates': '/work\n/\n',
    'info/attributes': '* filter=evil\n',
    'a.txt': '$Format:%H$ $Id$\nline\n',
    'w.txt': 'plain\n',
    hidden: 'seen\n',
  };
  for (const [path, text] of Object.entries(files)) await put('inert', path, text);
  for (const hook of ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction']) {
    await put('inert', `hooks/${hook}`, script);
    await chmod(join(alice.at('inert'), 'hooks', hook), 0o755);
  }
  await alice.git('inert', 'add', 'hooks');
  for (const path of Object.keys(files)) {
    // as it is, whatever the attributes of the working copy say
    const oid = await alice.git('inert', 'hash-object', '-w', '--no-filters', path);
    await alice.git('inert', 'update-index', '--add', '--cacheinfo', `100644,${oid},${path}`);
  }
  await alice.git('inert', 'commit', '-qm', 'evil');
  const head = await alice.git('inert', 'rev-parse', 'HEAD');
  for (const branch of ['main', 'second'])
    await alice.git('inert', 'push', '-q', 'origin', `HEAD:refs/heads/${branch}`);
  await alice.git('', 'init', '-q', '--bare', 'plain.git');
  await alice.git('plain.git', 'fetch', '-q', '--depth=1', alice.remote('admin/inert'), 'main');
  await alice.git(
    'plain.git',
    'fetch',
    '-q',
    '--unshallow',
    alice.remote('admin/inert'),
    '+refs/heads/*:refs/heads/*',
  );
  expect(await alice.git('plain.git', 'rev-parse', 'main', 'second')).toBe(`${head}\n${head}`);
  await alice.git('plain.git', 'fsck', '--full');
  for (const [path, text] of Object.entries(files))
    for (const view of ['resolve', 'raw']) {
      const answer = await ask(`/admin/inert/${view}/main/${path}`);
      expect([path, answer.status, answer.text]).toEqual([path, 200, text]);
    }
  await expect(readFile(marker)).rejects.toThrow('ENOENT');
});
