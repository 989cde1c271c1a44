import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

export async function put(who: GitPerson, clone: string, path: string, text: string | Buffer): Promise<void> {
  const full = join(who.at(clone), path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text);
}

export async function commit(who: GitPerson, clone: string, message: string, files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) await put(who, clone, path, text);
  await who.git(clone, 'add', '-A');
  await who.git(clone, 'commit', '-qm', message);
}

/** Bytes of a file at a revision as the hub serves them over HTTP. */
export async function served({ hub, alice }: Session, path: string, revision = 'main', repo = 'acme/net') {
  const url = `${hub.url}/${repo}/resolve/${encodeURIComponent(revision)}/${path}`;
  const res = await fetch(url, { headers: { authorization: `Bearer ${alice.token}` } });
  return res.ok ? Buffer.from(await res.arrayBuffer()).toString() : `HTTP ${res.status}`;
}

export const head = (who: GitPerson, clone: string, ref = 'HEAD') => who.git(clone, 'rev-parse', ref);

/** What the hub's API says of refs, as `name oid` lines; annotated tags are peeled there. */
export async function refsOf({ alice }: Session): Promise<string[]> {
  const refs = await alice.api<Record<string, { ref: string; targetCommit: string }[]>>(
    'GET',
    '/api/models/acme/net/refs',
  );
  return [...(refs.branches ?? []), ...(refs.tags ?? [])]
    .map(({ ref, targetCommit }) => `${ref} ${targetCommit}`)
    .sort();
}

/** All branches and tags of a remote as git itself sees them, peeled. */
export async function refsSeenBy(who: GitPerson, url: string): Promise<string[]> {
  const peeled = new Map<string, string>();
  for (const line of (await who.git('', 'ls-remote', url)).split('\n')) {
    const [oid = '', name = ''] = line.split('\t');
    if (/^refs\/(?:heads|tags)\//.test(name)) peeled.set(name.replace(/\^\{\}$/, ''), oid);
  }
  return [...peeled].map(([name, oid]) => `${name} ${oid}`).sort();
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** A file of random bytes, written piece by piece. */
export async function writeNoise(path: string, bytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  for (let left = bytes; left > 0; left -= 1 << 20) await file.write(randomBytes(Math.min(left, 1 << 20)));
  await file.close();
}
