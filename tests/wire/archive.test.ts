import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonOf } from '#tests/clients/python.ts';
import { buildXorb, contentOf, sha256Of } from '#tests/xet/build.ts';
import { type CasHub, startCasHub, TOKENS } from '#tests/xet/cas-hub.ts';

const run = promisify(execFile);
let hub: CasHub;
let dir: string;
let head: string;
/** What a checkout has, by path. */
const contents = new Map<string, Buffer>();

const ZIP = '/alice/model/archive/main.zip';
const get = (path: string, headers: Record<string, string> = {}, token: string | null = TOKENS.alice) =>
  hub.ask(path, token, { headers });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

async function commit(lines: unknown[]): Promise<string> {
  const body = [{ key: 'header', value: { summary: 'files' } }, ...lines]
    .map((l) => JSON.stringify(l))
    .join('\n');
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await hub.ask('/api/models/alice/model/commit/main', TOKENS.alice, {
    method: 'POST',
    body,
    headers,
  });
  const json = (await answer.json()) as { commitOid: string };
  if (!answer.ok) throw new Error(JSON.stringify(json));
  return json.commitOid;
}
const large = (path: string, bytes: Buffer) => ({
  key: 'lfsFile',
  value: { path, algo: 'sha256', oid: sha256Of(bytes), size: bytes.length },
});

async function putWhole(bytes: Buffer): Promise<void> {
  const body = JSON.stringify({
    operation: 'upload',
    transfers: ['basic'],
    objects: [{ oid: sha256Of(bytes), size: bytes.length }],
  });
  const answer = await hub.ask('/alice/model.git/info/lfs/objects/batch', TOKENS.alice, {
    method: 'POST',
    body,
  });
  const { objects } = (await answer.json()) as { objects: { actions: { upload: { href: string } } }[] };
  const put = await fetch(objects[0]?.actions.upload.href ?? '', {
    method: 'PUT',
    body: new Uint8Array(bytes),
  });
  if (!put.ok) throw new Error(await put.text());
}

/** Files that only git can make: modes, links, names. */
async function pushWithGit(): Promise<string> {
  const clone = join(dir, 'clone');
  const url = `${hub.url.replace('//', `//alice:${TOKENS.alice}@`)}/alice/model`;
  const env = { ...process.env, GIT_LFS_SKIP_SMUDGE: '1', GIT_TERMINAL_PROMPT: '0' };
  const git = (...args: string[]) => run('git', ['-C', clone, ...args], { env });
  await run('git', ['clone', '-q', url, clone], { env });
  for (const path of ['plain.txt', 'bin/run.sh', '模型/é 🤗.txt', 'a "quoted" \\ name', 'empty']) {
    const bytes = path === 'empty' ? Buffer.alloc(0) : randomBytes(1000);
    contents.set(path, bytes);
    await mkdir(dirname(join(clone, path)), { recursive: true });
    await writeFile(join(clone, path), bytes);
  }
  await chmod(join(clone, 'bin/run.sh'), 0o755);
  await symlink('bin/run.sh', join(clone, 'link'));
  for (let i = 0; i < 700; i++) {
    const path = `many/${i % 7}/${i}.txt`;
    contents.set(path, Buffer.from(`file ${i}`.repeat(i % 300)));
    await mkdir(dirname(join(clone, path)), { recursive: true });
    await writeFile(join(clone, path), contents.get(path) as Buffer);
  }
  await git('add', '.');
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
  await git(...identity, 'commit', '-q', '-m', 'more');
  await git('push', '-q', 'origin', 'HEAD:main', 'HEAD:feature/x');
  return (await git('rev-parse', 'HEAD')).stdout.trim();
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-archive-'));
  hub = await startCasHub();
  await hub.createRepo('alice', 'model', true);
  const terms = [
    { xorb: buildXorb(Array.from({ length: 40 }, () => randomBytes(90_000))), start: 3, end: 38 },
  ];
  const cas = await hub.cas('alice/model', TOKENS.alice);
  expect((await cas.upload(terms)).status).toBe(200);
  const whole = randomBytes(3_000_000);
  await putWhole(whole);
  contents.set('weights/xet.bin', contentOf(terms));
  contents.set('weights/whole.bin', whole);
  contents.set('README.md', Buffer.from('# M\n'));
  await commit([
    large('weights/xet.bin', contentOf(terms)),
    large('weights/whole.bin', whole),
    {
      key: 'file',
      value: { path: 'README.md', content: Buffer.from('# M\n').toString('base64'), encoding: 'base64' },
    },
  ]);
  head = await pushWithGit();
  contents.set('.gitattributes', await readFile(join(dir, 'clone', '.gitattributes')));
});
afterAll(async () => {
  await hub.close();
  await rm(dir, { recursive: true, force: true });
});

/** Every file of an unpacked folder by its path. */
async function filesOf(root: string, under = ''): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(join(root, under), { withFileTypes: true })) {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) for (const [p, b] of await filesOf(root, path)) found.set(p, b);
    else if (entry.isFile()) found.set(path, await readFile(join(root, path)));
  }
  return found;
}

const same = (got: Map<string, Buffer>) => {
  expect([...got.keys()].sort()).toEqual([...contents.keys()].sort());
  for (const [path, bytes] of contents) expect(got.get(path)?.equals(bytes), path).toBe(true);
};

describe('a repo as a zip', () => {
  test('holds every file, small, whole and Xet, with names, modes and links as a checkout has them', async () => {
    const answer = await get(ZIP);
    const bytes = await bytesOf(answer);
    expect(Number(answer.headers.get('content-length'))).toBe(bytes.length);
    const zip = join(dir, 'repo.zip');
    await writeFile(zip, bytes);
    await run('unzip', ['-tqq', zip]);
    const out = join(dir, 'unzipped');
    await run('unzip', ['-qq', zip, '-d', out], { env: { ...process.env, LC_ALL: 'C.UTF-8', UNZIP: '' } });
    expect(await readdir(out)).toEqual(['model']);
    same(await filesOf(join(out, 'model')));
    expect(await readlink(join(out, 'model', 'link'))).toBe('bin/run.sh');
    expect((await lstat(join(out, 'model', 'bin/run.sh'))).mode & 0o777).toBe(0o755);
    expect((await lstat(join(out, 'model', 'plain.txt'))).mode & 0o777).toBe(0o644);
  });

  test('is read by Python, and by bsdtar as it arrives', async () => {
    const bytes = await bytesOf(await get(ZIP));
    await writeFile(join(dir, 'p.zip'), bytes);
    const program = `import zipfile, sys, hashlib, json
z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
print(json.dumps({i.filename: [hashlib.sha256(z.read(i)).hexdigest(), list(i.date_time)] for i in z.infolist()}))`;
    const { stdout } = await run(pythonOf(), ['-c', program, join(dir, 'p.zip')], { maxBuffer: 1 << 24 });
    const found = JSON.parse(stdout) as Record<string, [string, number[]]>;
    for (const [path, content] of contents)
      expect(found[`model/${path}`]?.[0], path).toBe(createHash('sha256').update(content).digest('hex'));
    const out = join(dir, 'tar');
    await mkdir(out);
    const tar = spawn('bsdtar', ['-xf', '-', '-C', out], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    tar.stdin.end(bytes);
    expect((await once(tar, 'close'))[0]).toBe(0);
    const got = await filesOf(join(out, 'model'));
    got.delete('link'); // that it is a link stands in the directory, which comes last: to who streams it is a file
    same(got);
  });

  test('is the same bytes each time, under a strong tag that is the same for branch and commit', async () => {
    const [a, b] = [await get(ZIP), await get(`/alice/model/archive/${head}.zip`)];
    expect(a.headers.get('etag')).toMatch(/^"zip-[0-9a-f]{40}"$/);
    expect(b.headers.get('etag')).toBe(a.headers.get('etag'));
    expect((await bytesOf(a)).equals(await bytesOf(b))).toBe(true);
    const again = await get(ZIP, { 'if-none-match': a.headers.get('etag') ?? '' });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  test('HEAD has the headers of GET with the exact length; a Range is answered with the whole', async () => {
    const whole = await get(ZIP);
    const length = (await bytesOf(whole)).length;
    const answer = await hub.ask(ZIP, TOKENS.alice, { method: 'HEAD' });
    for (const name of ['etag', 'content-type', 'content-disposition', 'content-length', 'x-repo-commit'])
      expect(answer.headers.get(name), name).toBe(whole.headers.get(name));
    expect(whole.headers.get('content-disposition')).toContain('filename="model-main.zip"');
    expect(whole.headers.get('accept-ranges')).toBe('none');
    const ranged = await get(ZIP, { range: 'bytes=0-9' });
    expect([ranged.status, (await bytesOf(ranged)).length]).toEqual([200, length]);
  });
});

describe('the address', () => {
  test('a folder alone, of a branch with a slash in its name, encoded and plain', async () => {
    for (const revision of ['feature/x', 'feature%2Fx', 'main', head]) {
      const answer = await get(`/alice/model/archive/${revision}/weights.zip`);
      expect(answer.status).toBe(200);
      const zip = join(dir, 'folder.zip');
      await writeFile(zip, await bytesOf(answer));
      const { stdout } = await run('unzip', ['-Z1', zip]);
      expect(stdout.trim().split('\n')).toEqual(['weights/', 'weights/whole.bin', 'weights/xet.bin']);
    }
  });

  test('what is no folder, no revision, no repo, or not for the caller, is not found', async () => {
    for (const path of ['main/nothing.zip', 'main/README.md.zip', 'nobranch.zip', 'main', 'main.tar.gz'])
      expect((await get(`/alice/model/archive/${path}`)).status, path).toBe(404);
    expect((await get(ZIP, {}, TOKENS.bob)).status).toBe(404);
    expect((await get('/alice/nothing/archive/main.zip', {}, TOKENS.bob)).status).toBe(404);
  });
});

describe('failure', () => {
  test('a file that is damaged in the store breaks the connection, never a short archive', async () => {
    const { rows } = await hub.app.db.query<{ key: string }>(
      "SELECT key FROM stored_object WHERE key LIKE 'blob/%' AND size_bytes = 3000000",
    );
    const key = rows[0]?.key ?? '';
    const path = join(hub.dataDir, 'objects', 'objects', key);
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, 2_000_000));
    const answer = await get(ZIP);
    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow();
    await writeFile(path, bytes);
  });

  test('a reader that leaves frees its place, at once', async () => {
    for (let i = 0; i < 12; i++) {
      const stop = new AbortController();
      const answer = await hub.ask(ZIP, TOKENS.alice, { signal: stop.signal });
      await answer.body?.getReader().read();
      stop.abort();
    }
    expect((await bytesOf(await get(ZIP))).length).toBeGreaterThan(6_000_000);
  });

  test('more at a time than the process can bear are told to come later', async () => {
    const stop = new AbortController();
    const stalled = await Promise.all(
      Array.from({ length: 4 }, () => hub.ask(ZIP, TOKENS.alice, { signal: stop.signal })),
    );
    const refused = await get(ZIP);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect(stalled.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    stop.abort();
  }, 15_000);

  test('a large file whose bytes are gone from the repo is named before anything is sent', async () => {
    const bytes = randomBytes(100_000);
    await putWhole(bytes);
    await commit([large('gone.bin', bytes)]);
    await hub.app.db.query('DELETE FROM repo_file WHERE sha256 = $1', [Buffer.from(sha256Of(bytes), 'hex')]);
    const answer = await get(ZIP);
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('gone.bin')]);
  });
});
