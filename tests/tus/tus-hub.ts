import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import { SYSTEM } from '#lib/identity/principal.ts';
import { requireRead } from '#lib/repos/access.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { openFile } from '#lib/repos/files/open-file.ts';
import { routes } from '#lib/wire/routes.ts';
import { startWire, type TestWire } from '#tests/support/wire.ts';

export const tokenOf = (name: string) => `hf_${name.padEnd(40, 'x')}`;
export const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex') as Sha256;
export const fileOf = (sizeBytes: number) => {
  const bytes = randomBytes(sizeBytes);
  return { bytes, sha256: sha256Of(bytes) };
};
export const metadataOf = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`.trim())
    .join(',');

export interface Asked {
  readonly user?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | ReadableStream<Uint8Array>;
}

export interface TusHub extends TestWire {
  repoIds: Record<'alice/one' | 'alice/two' | 'bob/one', RepoId>;
  /** One request of the protocol, as alice unless told otherwise. */
  tus(method: string, pathOrUrl: string, asked?: Asked): Promise<Response>;
  /** Begins an upload and returns its address. */
  create(repo: string, fields: Record<string, string>, sizeBytes: number, asked?: Asked): Promise<string>;
  patch(
    location: string,
    offset: number | string,
    body: Buffer | ReadableStream<Uint8Array>,
    asked?: Asked,
  ): Promise<Response>;
  /** The bytes that the repo gives under this hash, or null. */
  read(repo: keyof TusHub['repoIds'], sha256: string): Promise<Buffer | null>;
  post(path: string, body: unknown, user?: string | null): Promise<Response>;
  keys(): Promise<string[]>;
}

/** The whole wire over HTTP with alice, bob and carol, and three repos. */
export async function startTusHub(env: Record<string, string> = {}): Promise<TusHub> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-tus-'));
  const users = ['alice', 'bob', 'carol'].map((name) => ({
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
  const make = async (namespace: string, name: string, visibility: 'public' | 'private') => {
    const ref = { type: 'model', namespace, name } as const;
    const ctx = wire.ctxFor(SYSTEM);
    const isThere = await requireRead(ctx, ref).catch(() => null); // a second process on the same data
    return (isThere ?? (await createRepo(ctx, { ...ref, visibility }))).id;
  };
  const repoIds = {
    'alice/one': await make('alice', 'one', 'private'),
    'alice/two': await make('alice', 'two', 'public'),
    'bob/one': await make('bob', 'one', 'private'),
  };
  const tus: TusHub['tus'] = (method, path, { user = 'alice', headers, body } = {}) =>
    fetch(path.startsWith('http') ? path : wire.url + path, {
      method,
      headers: {
        'tus-resumable': '1.0.0',
        ...(user && { authorization: `Bearer ${tokenOf(user)}` }),
        ...headers,
      },
      body: (body as BodyInit | undefined) ?? null,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    } as RequestInit);
  return {
    ...wire,
    repoIds,
    tus,
    async create(repo, fields, sizeBytes, asked) {
      const headers = {
        'upload-length': String(sizeBytes),
        'upload-metadata': metadataOf(fields),
        ...asked?.headers,
      };
      const answer = await tus('POST', `/api/models/${repo}/tus`, { ...asked, headers });
      if (answer.status !== 201) throw new Error(`create: ${answer.status} ${await answer.text()}`);
      return answer.headers.get('location') as string;
    },
    patch: (location, offset, body, asked) =>
      tus('PATCH', location, {
        ...asked,
        body,
        headers: {
          'upload-offset': String(offset),
          'content-type': 'application/offset+octet-stream',
          ...asked?.headers,
        },
      }),
    async read(repo, sha256) {
      const file = (await findFiles(wire.app.db, repoIds[repo], [sha256 as Sha256])).get(sha256 as Sha256);
      return file ? buffer(await openFile(wire.app, file)) : null;
    },
    post: (path, body, user = 'alice') =>
      fetch(wire.url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(user && { authorization: `Bearer ${tokenOf(user)}` }),
        },
        body: JSON.stringify(body),
      }),
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
