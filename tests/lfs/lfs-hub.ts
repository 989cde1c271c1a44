import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import { SYSTEM } from '#lib/identity/principal.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import type { RepoFile } from '#lib/repos/types.ts';
import { routes } from '#lib/wire/lfs/routes.ts';
import { startWire, type TestWire } from '#tests/support/wire.ts';

export interface Action {
  href: string;
  header?: Record<string, string>;
  expires_in?: number;
}
export interface BatchObject {
  oid: string;
  size: number;
  authenticated?: boolean;
  actions?: { upload?: Action; verify?: Action; download?: Action };
  error?: { code: number; message: string };
}
export interface BatchAnswer {
  transfer: string;
  objects: BatchObject[];
}

/** A file as a client has it. */
export interface LocalFile {
  bytes: Buffer;
  oid: Sha256;
  size: number;
}

export function fileOf(bytes: Buffer): LocalFile {
  const oid = createHash('sha256').update(bytes).digest('hex') as Sha256;
  return { bytes, oid, size: bytes.length };
}

export const randomFile = (sizeBytes: number): LocalFile => fileOf(randomBytes(sizeBytes));

export const tokenOf = (name: string) => `hf_${name.padEnd(40, 'x')}`;

export interface LfsHub extends TestWire {
  /** Ids of the repos alice/one (private), alice/two (public) and bob/one (private). */
  repoIds: Record<'alice/one' | 'alice/two' | 'bob/one', RepoId>;
  /** POSTs a batch as git-lfs does and returns the answer, whatever its status. */
  post(repo: string, user: string | null, body: unknown): Promise<Response>;
  batch(
    repo: string,
    user: string | null,
    operation: 'upload' | 'download',
    files: readonly { oid: string; size: number }[],
    transfers?: string[],
  ): Promise<BatchAnswer>;
  /** What the repo holds now. */
  held(repo: keyof LfsHub['repoIds'], oid: string): Promise<RepoFile | undefined>;
  /** Keys of all objects in the store. */
  keys(): Promise<string[]>;
}

/** The LFS routes over HTTP with alice, bob and three repos. */
export async function startLfsHub(env: Record<string, string> = {}): Promise<LfsHub> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-lfs-'));
  const users = ['alice', 'bob'].map((name) => ({
    name,
    fullname: name,
    tokens: [{ name: 'test', token: tokenOf(name), role: 'write' }],
  }));
  await writeFile(join(dir, 'seed.json'), JSON.stringify({ users }));
  const wire = await startWire(routes, {
    LARDER_SEED: join(dir, 'seed.json'),
    LARDER_ADMIN_PASSWORD: 'correct horse battery',
    ...env,
  });
  await bootstrap(wire.app);
  const make = async (namespace: string, name: string, visibility: 'public' | 'private') =>
    (await createRepo(wire.ctxFor(SYSTEM), { type: 'model', namespace, name, visibility })).id;
  const repoIds = {
    'alice/one': await make('alice', 'one', 'private'),
    'alice/two': await make('alice', 'two', 'public'),
    'bob/one': await make('bob', 'one', 'private'),
  };
  const post: LfsHub['post'] = (repo, user, body) =>
    fetch(`${wire.url}/${repo}.git/info/lfs/objects/batch`, {
      method: 'POST',
      headers: {
        'content-type': 'application/vnd.git-lfs+json',
        accept: 'application/vnd.git-lfs+json',
        ...(user && { authorization: `Bearer ${tokenOf(user)}` }),
      },
      body: JSON.stringify(body),
    });
  return {
    ...wire,
    repoIds,
    post,
    async batch(repo, user, operation, files, transfers = ['basic']) {
      const objects = files.map(({ oid, size }) => ({ oid, size }));
      const answer = await post(repo, user, { operation, transfers, objects, hash_algo: 'sha256' });
      if (answer.status !== 200) throw new Error(`batch: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as BatchAnswer;
    },
    held: async (repo, oid) =>
      (await findFiles(wire.app.db, repoIds[repo], [oid as Sha256])).get(oid as Sha256),
    async keys() {
      const keys: string[] = [];
      for await (const { key } of wire.app.store.list('')) keys.push(key);
      return keys;
    },
    async close() {
      await wire.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The one action that an answer must contain. */
export function actionOf(answer: BatchAnswer, name: 'upload' | 'verify' | 'download', index = 0): Action {
  const action = answer.objects[index]?.actions?.[name];
  if (!action) throw new Error(`no ${name} action: ${JSON.stringify(answer)}`);
  return action;
}

/** Part URLs in the order of their numbers, and the size of a part. */
export function partsOf(action: Action): { urls: string[]; chunkSize: number } {
  const { chunk_size, ...parts } = action.header ?? {};
  return {
    urls: Object.keys(parts)
      .sort()
      .map((key) => parts[key] as string),
    chunkSize: Number(chunk_size),
  };
}

export interface SentPart {
  partNumber: number;
  etag: string;
}

/** PUTs one part as huggingface_hub does: no headers but the length. */
export async function sendPart(url: string, partNumber: number, bytes: Buffer): Promise<SentPart> {
  const answer = await fetch(url, { method: 'PUT', body: new Uint8Array(bytes) });
  if (answer.status !== 200) throw new Error(`part: ${answer.status} ${await answer.text()}`);
  return { partNumber, etag: answer.headers.get('etag') as string };
}

/** PUTs all parts of a file one after the other. */
export async function sendParts(action: Action, bytes: Buffer): Promise<SentPart[]> {
  const { urls, chunkSize } = partsOf(action);
  const parts: SentPart[] = [];
  for (const [i, url] of urls.entries())
    parts.push(await sendPart(url, i + 1, bytes.subarray(i * chunkSize, (i + 1) * chunkSize)));
  return parts;
}

export function postJson(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const type = 'application/vnd.git-lfs+json';
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': type, accept: type, ...headers },
    body: JSON.stringify(body),
  });
}
