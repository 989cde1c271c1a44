import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GitPerson } from '#tests/clients/git-person.ts';
import { hfOk } from '#tests/clients/python.ts';
import { pause } from './nemesis.ts';

/** A server of the hub. */
export interface Server {
  readonly url: string;
  readonly adminToken: string;
}

/** A repo, by whichever server is to be asked this time. */
export interface Target {
  readonly repo: string;
  readonly server: () => Server;
}

/** One way of writing a file to main: resolves when it was acknowledged, throws when it was not. */
export type Door = (path: string) => Promise<void>;

/** What was sent, and what the hub said yes to. */
export class History {
  readonly acked = new Set<string>();
  readonly sent = new Set<string>();
}

async function call(server: Server, method: string, path: string, body: string, type: string) {
  const res = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${server.adminToken}`, 'content-type': type },
    ...(body !== '' && { body }),
    signal: AbortSignal.timeout(20_000),
  });
  const answer = (await res.json()) as Record<string, unknown>;
  if (!res.ok) throw new Error(`${path}: ${res.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Calls the hub's API; `null` is no body. Throws with the answer when it refuses. */
export const json = (server: Server, method: string, path: string, body: unknown = null) =>
  call(server, method, path, body === null ? '' : JSON.stringify(body), 'application/json');

/** The content of the file at a path is the path: whoever reads it knows that it is whole. */
export function commitFile(
  server: Server,
  repo: string,
  path: string,
  { revision = 'main', parentCommit, query = '', lfs }: CommitOptions = {},
) {
  const lines = [
    { key: 'header', value: { summary: `Add ${path}`, ...(parentCommit && { parentCommit }) } },
    lfs
      ? { key: 'lfsFile', value: { path, algo: 'sha256', ...lfs } }
      : { key: 'file', value: { path, content: path, encoding: 'utf-8' } },
  ];
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  const address = `/api/models/${repo}/commit/${encodeURIComponent(revision)}${query}`;
  return call(server, 'POST', address, body, 'application/x-ndjson');
}

interface CommitOptions {
  readonly revision?: string;
  readonly parentCommit?: string;
  readonly query?: string;
  /** The file is one of LFS, which the repo holds. */
  readonly lfs?: { readonly oid: string; readonly size: number };
}

/** A client that names no parent. */
export const byCommit =
  ({ repo, server }: Target): Door =>
  async (path) =>
    void (await commitFile(server(), repo, path));

/** As the editor on a page does it: on top of what it has seen, again when the branch has moved. */
export const byPage =
  ({ repo, server }: Target): Door =>
  async (path) => {
    const { sha } = await json(server(), 'GET', `/api/models/${repo}/revision/main`);
    await commitFile(server(), repo, path, { parentCommit: String(sha) });
  };

/** A pull request with one commit, merged: begun as a draft, or opened together with its commit. */
export function byMerge({ repo, server }: Target, isDraft: boolean): Door {
  const discussions = `/api/models/${repo}/discussions`;
  const nums = new Map<string, number>();
  const open = async (path: string) => {
    if (!isDraft) {
      const { pullRequestUrl } = await commitFile(server(), repo, path, { query: '?create_pr=1' });
      return Number(String(pullRequestUrl).split('/').at(-1));
    }
    const made = await json(server(), 'POST', discussions, { title: `Add ${path}`, pullRequest: true });
    return Number(made.num);
  };
  return async (path) => {
    const num = nums.get(path) ?? (await open(path));
    nums.set(path, num);
    const { status } = await json(server(), 'GET', `${discussions}/${num}`);
    if (status === 'merged') return;
    if (isDraft) await commitFile(server(), repo, path, { revision: `refs/pr/${num}` });
    if (status === 'draft') await json(server(), 'POST', `${discussions}/${num}/status`, { status: 'open' });
    await json(server(), 'POST', `${discussions}/${num}/merge`, {});
  };
}

/** Somebody with a clone, which is made when there is none yet and has one commit with the file on top then. */
export async function commitInClone(person: GitPerson, repo: string, path: string): Promise<void> {
  const cloned = await person.try('', '-C', person.at('clone'), 'rev-parse', '-q', '--verify', 'HEAD');
  if (cloned.code !== 0) {
    await rm(person.at('clone'), { recursive: true, force: true });
    await person.git('', 'clone', '-q', person.remote(repo), 'clone');
  }
  const full = join(person.at('clone'), path);
  await mkdir(join(full, '..'), { recursive: true });
  await writeFile(full, path);
  await person.git('clone', 'add', '-A');
  if ((await person.git('clone', 'status', '--porcelain')) !== '')
    await person.git('clone', 'commit', '-qm', `Add ${path}`);
}

/** Stock git: commit, push, and when others were faster rebase and push again. */
export function byPush({ repo, server }: Target, folder: string): Door {
  return async (path) => {
    const { adminToken } = server();
    const person = new GitPerson(server(), folder, 'admin', adminToken);
    await commitInClone(person, repo, path);
    for (let tries = 0; tries < 6; tries++) {
      if ((await person.try('clone', 'push', '-q', 'origin', 'HEAD:main')).code === 0) return;
      await person.try('clone', 'pull', '-q', '--rebase');
    }
    throw new Error('did not get through');
  };
}

/** Stock hf. */
export function byClient({ repo, server }: Target, folder: string): Door {
  return async (path) => {
    const from = join(folder, 'upload.txt');
    await writeFile(from, path);
    const { url, adminToken } = server();
    await hfOk(['upload', repo, from, path], {
      endpoint: url,
      token: adminToken,
      home: join(folder, 'hf'),
    });
  };
}

/** Sends one file through a door until it is acknowledged; throws when it is not taken in `forMs`. */
export async function insist(path: string, door: Door, history: History, forMs = 60_000): Promise<void> {
  history.sent.add(path);
  for (const untilMs = Date.now() + forMs; !history.acked.has(path); ) {
    await door(path).then(
      () => history.acked.add(path),
      (error: Error) => {
        if (Date.now() > untilMs) throw new Error(`${path} is not taken`, { cause: error });
      },
    );
    if (!history.acked.has(path)) await pause(100);
  }
}
