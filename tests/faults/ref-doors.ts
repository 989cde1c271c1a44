import { createHash } from 'node:crypto';
import { GitPerson } from '#tests/clients/git-person.ts';
import { commitFile, commitInClone, type Door, json, type Server, type Target } from './doors.ts';
import { eventually } from './nemesis.ts';

/** What the answers said that can be held against what is there later. */
export class Claims {
  /** What turned out false at once. */
  readonly lies: string[] = [];
  /** Commits, and whether they must be in main. */
  readonly inMain = new Map<string, boolean>();
  /** What the last push of a commit said. */
  readonly said = new Map<string, string>();
}

/** The name of the branch, or the beginning of the names, that a file's door makes for it alone. */
export const branchFor = (path: string) => `of/${path.replaceAll(/[/.]/g, '-')}`;

const PORCELAIN = /^([ +*=!-])\t\S*:(\S+)\t(.*)$/gm;

/** Of `git push --porcelain`: what was said of each ref. Null: nothing certain, the connection broke. */
function parseReport(output: string): Map<string, boolean | null> {
  return new Map(
    [...output.matchAll(PORCELAIN)].map(([, flag, ref, summary]) => [
      ref as string,
      flag !== '!' ? true : summary?.includes('remote failure') ? null : false,
    ]),
  );
}

/**
 * Stock git pushes main and two branches of the file's own in one go; what the report says of each ref is compared
 * with what another server shows.
 */
export function byManyRefs(
  { repo, server }: Target,
  folder: string,
  isAtomic: boolean,
  steady: Server,
  claims: Claims,
): Door {
  const listed = async (person: GitPerson) => {
    const address = person.remote(repo).replace(person.hub.url, steady.url);
    const output = await eventually(() => person.git('', 'ls-remote', '-q', address));
    return new Map(output.split('\n').map((line) => line.split('\t').toReversed() as [string, string]));
  };
  const pushOnce = async (person: GitPerson, path: string, stale: readonly string[]): Promise<boolean> => {
    const own = ['a', 'b'].map((letter) => `refs/heads/${branchFor(path)}-${letter}`);
    const specs = ['HEAD:refs/heads/main', ...own.map((ref) => `+HEAD:${ref}`)];
    const options = ['--porcelain', ...(isAtomic ? ['--atomic'] : [])];
    const head = await person.git('clone', 'rev-parse', 'HEAD');
    // A refusal is true of its moment only: what is sent again, also as history of another commit, may well land.
    for (const oid of (await person.git('clone', 'rev-list', '-n', '20', 'HEAD')).split('\n'))
      if (claims.inMain.get(oid) === false) claims.inMain.delete(oid);
    const deletions = isAtomic ? [] : stale.map((ref) => `:${ref}`);
    const said = await person.try('clone', 'push', ...options, 'origin', ...specs, ...deletions);
    const report = parseReport(said.output);
    const now = await listed(person);
    const isThere = (ref: string) => now.get(ref) === head;
    for (const ref of own) {
      const claim = report.get(ref);
      if (typeof claim === 'boolean' && claim !== isThere(ref))
        claims.lies.push(`${ref} at ${now.get(ref)}, pushed ${head}:\n${said.output}`);
    }
    for (const ref of isAtomic ? [] : stale)
      if (report.get(ref) === true && now.has(ref))
        claims.lies.push(`${ref} is not deleted:\n${said.output}`);
    const [a, b] = own.map(isThere);
    if (isAtomic && a !== b) claims.lies.push(`half of an atomic push is there:\n${said.output}`);
    const claim = report.get('refs/heads/main') ?? (isAtomic && a ? true : null);
    if (typeof claim === 'boolean') claims.inMain.set(head, claim);
    claims.said.set(head, said.output);
    return said.code === 0;
  };
  const done: string[] = [];
  return async (path) => {
    const person = new GitPerson(server(), folder, 'admin', server().adminToken);
    await commitInClone(person, repo, path);
    for (let tries = 0; tries < 6; tries++) {
      const refs = await listed(person);
      const stale = done.filter((ref) => refs.has(ref));
      if (await pushOnce(person, path, stale)) {
        done.push(`refs/heads/${branchFor(path)}-b`);
        return;
      }
      await person.try('clone', 'pull', '-q', '--rebase');
    }
    throw new Error('did not get through');
  };
}

/** One request, sent five times at once. */
export const byFive =
  ({ repo, server }: Target): Door =>
  async (path) => {
    const tries = Array.from({ length: 5 }, () => commitFile(server(), repo, path));
    const done = await Promise.allSettled(tries);
    if (!done.some(({ status }) => status === 'fulfilled'))
      throw new Error('none of five', { cause: done[0] });
  };

/** A branch with the file, deleted and brought back. */
export const byRestore =
  ({ repo, server }: Target): Door =>
  async (path) => {
    const branch = encodeURIComponent(branchFor(path));
    const api = `/api/models/${repo}`;
    await json(server(), 'POST', `${api}/branch/${branch}`, {}).catch(() => {}); // perhaps it is there
    await commitFile(server(), repo, path, { revision: branchFor(path) });
    const { sha: oid } = await json(server(), 'GET', `${api}/revision/${branch}`);
    await json(server(), 'DELETE', `${api}/branch/${branch}`);
    await json(server(), 'POST', `${api}/restore/${branch}`, { oid });
  };

/** A commit on the branch `side`, of which one commit is made then. */
export const bySquash =
  ({ repo, server }: Target): Door =>
  async (path) => {
    const api = `/api/models/${repo}`;
    await json(server(), 'POST', `${api}/branch/side`, {}).catch(() => {}); // perhaps it is there
    await commitFile(server(), repo, path, { revision: 'side' });
    await json(server(), 'POST', `${api}/super-squash/side`, { message: `Squash for ${path}` });
  };

interface Action {
  readonly href: string;
  readonly header?: Record<string, string>;
}

export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Brings a file's content by LFS; the repo holds it then, and no commit names it yet. */
export async function uploadLfs(server: Server, repo: string, content: string): Promise<void> {
  const file = { oid: sha256Of(content), size: content.length };
  const batch = await json(server, 'POST', `/${repo}.git/info/lfs/objects/batch`, {
    operation: 'upload',
    transfers: ['basic'],
    objects: [file],
  });
  const [object] = batch.objects as { actions?: Record<'upload' | 'verify', Action | undefined> }[];
  const send = async (method: string, action: Action | undefined, body: string) => {
    if (action === undefined) return;
    const type = method === 'PUT' ? 'application/octet-stream' : 'application/vnd.git-lfs+json';
    const headers = { 'content-type': type, ...action.header };
    const res = await fetch(action.href, { method, headers, body });
    if (!res.ok) throw new Error(`${method} ${action.href}: ${res.status} ${await res.text()}`);
  };
  await send('PUT', object?.actions?.upload, content);
  await send('POST', object?.actions?.verify, JSON.stringify(file));
}

/** A file by LFS, and the commit that names it. */
export const byLfs =
  ({ repo, server }: Target): Door =>
  async (path) => {
    await uploadLfs(server(), repo, path);
    await commitFile(server(), repo, path, { lfs: { oid: sha256Of(path), size: path.length } });
  };
