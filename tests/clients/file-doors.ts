import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { downloadFile, uploadFiles } from '@huggingface/hub';
import { Upload } from 'tus-js-client';
import type { Hub } from '#tests/support/hub.ts';
import { GitPerson } from './git-person.ts';
import { hfOk, pythonOf } from './python.ts';

const run = promisify(execFile);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The same files go through every door: a large one, one of a byte, an empty one, and text that stays in git. */
export interface Doors {
  readonly names: readonly string[];
  /** SHA-256 of each name. */
  readonly wanted: Readonly<Record<string, string>>;
  /** By the name of a door: brings all files into the repo (admin/…), which exists. */
  readonly writers: Readonly<Record<string, (repo: string) => Promise<void>>>;
  /** By the name of a door: the files' SHA-256 as it gives them. */
  readonly readers: Readonly<Record<string, (repo: string) => Promise<Record<string, string>>>>;
}

class Room {
  readonly hub: Hub;
  readonly dir: string;
  readonly source: string;
  readonly names: string[] = [];
  readonly git: GitPerson;

  constructor(hub: Hub, dir: string) {
    this.hub = hub;
    this.dir = dir;
    this.source = join(dir, 'source');
    this.git = new GitPerson(hub, dir, 'admin', hub.adminToken);
  }

  folder = () => mkdtemp(join(this.dir, 'd-'));
  auth = () => ({ authorization: `Bearer ${this.hub.adminToken}` });
  hf = async (args: string[], env: Record<string, string> = {}) =>
    hfOk(args, { endpoint: this.hub.url, token: this.hub.adminToken, home: await this.folder(), env });
  js = () => ({ hubUrl: this.hub.url, accessToken: this.hub.adminToken });

  /** The hashes of the files in a folder. */
  async hashes(folder: string): Promise<Record<string, string>> {
    const pairs = this.names.map(async (name) => [name, sha256(await readFile(join(folder, name)))] as const);
    return Object.fromEntries(await Promise.all(pairs));
  }

  async each(read: (name: string) => Promise<Uint8Array>): Promise<Record<string, string>> {
    const pairs = this.names.map(async (name) => [name, sha256(await read(name))] as const);
    return Object.fromEntries(await Promise.all(pairs));
  }

  async commit(repo: string, lines: unknown[]): Promise<void> {
    const all = [{ key: 'header', value: { summary: 'files' } }, ...lines];
    const answer = await fetch(`${this.hub.url}/api/models/${repo}/commit/main`, {
      method: 'POST',
      headers: { ...this.auth(), 'content-type': 'application/x-ndjson' },
      body: all.map((line) => JSON.stringify(line)).join('\n'),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** A line of a commit for a file that the repo holds, or for one that goes into git. */
  async line(name: string, isLarge: boolean): Promise<unknown> {
    const bytes = await readFile(join(this.source, name));
    if (!isLarge)
      return { key: 'file', value: { path: name, content: bytes.toString('base64'), encoding: 'base64' } };
    return { key: 'lfsFile', value: { path: name, algo: 'sha256', oid: sha256(bytes), size: bytes.length } };
  }

  /** Commits and pushes with git-lfs; `prepare` is done in the clone before. */
  async push(repo: string, prepare: (clone: string) => Promise<unknown>): Promise<void> {
    const clone = repo.replace('/', '-');
    await this.git.git('', 'clone', '-q', this.git.remote(repo), clone);
    await prepare(clone);
    for (const name of this.names) await cp(join(this.source, name), join(this.git.at(clone), name));
    await this.git.git(clone, 'add', '-A');
    await this.git.git(clone, 'commit', '-qm', 'files');
    await this.git.git(clone, 'push', '-q', 'origin', 'HEAD:main');
  }
}

async function sendByTus(room: Room, repo: string, name: string): Promise<void> {
  const bytes = await readFile(join(room.source, name));
  await new Promise<void>((resolve, reject) => {
    const upload = new Upload(bytes as unknown as Blob, {
      endpoint: `${room.hub.url}/api/models/${repo}/tus`,
      headers: room.auth(),
      metadata: { path: name, revision: 'main' },
      onSuccess: () => resolve(),
      onError: reject,
    });
    upload.start();
  });
}

function writersOf(room: Room): Doors['writers'] {
  const inGit = (name: string) => name.endsWith('.txt') || name === 'empty.bin';
  const js = (useXet: boolean) => async (repo: string) => {
    const files = room.names.map(async (name) => ({
      path: name,
      content: new Blob([await readFile(join(room.source, name))]),
    }));
    await uploadFiles({ ...room.js(), repo, files: await Promise.all(files), useXet });
  };
  return {
    'hf (Xet)': async (repo) => void (await room.hf(['upload', repo, room.source])),
    'hf (whole)': async (repo) =>
      void (await room.hf(['upload', repo, room.source], { HF_HUB_DISABLE_XET: '1' })),
    'JS (Xet)': js(true),
    'JS (whole)': js(false),
    'git-lfs': (repo) => room.push(repo, async () => {}),
    'LFS multipart agent': (repo) =>
      room.push(repo, async (clone) => {
        const options = { endpoint: room.hub.url, home: room.git.home, cwd: room.git.at(clone) };
        await hfOk(['lfs-enable-largefiles', '.'], options);
      }),
    'tus (browser)': async (repo) => {
      for (const name of room.names) if (!inGit(name)) await sendByTus(room, repo, name);
      await room.commit(repo, await Promise.all(room.names.map((name) => room.line(name, !inGit(name)))));
    },
  };
}

function readersOf(room: Room): Doors['readers'] {
  const url = (repo: string, name: string) => `${room.hub.url}/${repo}/resolve/main/${name}`;
  const hf = (env: Record<string, string>) => async (repo: string) => {
    const to = await room.folder();
    await room.hf(['download', repo, '--local-dir', to], env);
    return room.hashes(to);
  };
  const bytes = async (address: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(address, { headers: { ...room.auth(), ...headers } });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  return {
    'hf (Xet)': hf({}),
    'hf (plain)': hf({ HF_HUB_DISABLE_XET: '1' }),
    curl: async (repo) => {
      const to = await room.folder();
      const header = ['-H', `Authorization: Bearer ${room.hub.adminToken}`];
      for (const name of room.names)
        await run('curl', ['-sfL', ...header, '-o', join(to, name), '--create-dirs', url(repo, name)]);
      return room.hashes(to);
    },
    'eight ranges': (repo) =>
      room.each(async (name) => {
        const head = await fetch(url(repo, name), { method: 'HEAD', headers: room.auth() });
        const size = Number(head.headers.get('content-length'));
        const step = Math.max(1, Math.ceil(size / 8));
        const starts = Array.from({ length: Math.ceil(size / step) }, (_, i) => i * step);
        const parts = starts.map((at) =>
          bytes(url(repo, name), { range: `bytes=${at}-${Math.min(at + step, size) - 1}` }),
        );
        return Buffer.concat(await Promise.all(parts));
      }),
    'git clone': async (repo) => {
      const clone = `read-${randomBytes(4).toString('hex')}`;
      await room.git.git('', 'clone', '-q', room.git.remote(repo), clone);
      return room.hashes(room.git.at(clone));
    },
    zip: async (repo) => {
      const to = await room.folder();
      await writeFile(join(to, 'a.zip'), await bytes(`${room.hub.url}/${repo}/archive/main.zip`));
      await run('unzip', ['-qq', join(to, 'a.zip'), '-d', to]);
      return room.hashes(join(to, repo.split('/')[1] ?? ''));
    },
    JS: (repo) =>
      room.each(async (name) => {
        const blob = await downloadFile({ ...room.js(), repo, path: name });
        return new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0));
      }),
  };
}

/** Makes the files and the doors, for a hub that runs. `bytes` is the size of the large file. */
export async function openDoors(
  hub: Hub,
  dir: string,
  bytes: number,
): Promise<Doors & { close(): Promise<void> }> {
  const room = new Room(hub, dir);
  await mkdir(join(room.source), { recursive: true });
  const files: Record<string, Buffer> = {
    'large.bin': randomBytes(bytes),
    'one.bin': Buffer.from([7]),
    'empty.bin': Buffer.alloc(0),
    'text.txt': Buffer.from('text, 文本, no newline at its end'),
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(room.source, name), content);
    room.names.push(name);
  }
  // git-lfs starts its agent by the name of `hf`
  const bin = join(dir, 'bin');
  await mkdir(bin);
  await symlink(join(dirname(pythonOf()), 'hf'), join(bin, 'hf'));
  const path = process.env.PATH;
  process.env.PATH = `${bin}${delimiter}${path}`;
  await room.git.git('', 'lfs', 'install', '--skip-repo');
  return {
    names: room.names,
    wanted: await room.hashes(room.source),
    writers: writersOf(room),
    readers: readersOf(room),
    async close() {
      process.env.PATH = path;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
