import type { Db } from '#lib/base/db.ts';
import { bytesOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { parseCommit } from '#lib/repos/git/commit.ts';
import { insertObjects } from '#lib/repos/git/db.ts';
import { parsePointer } from '#lib/repos/git/lfs-pointer.ts';
import { type EncodedObject, encodeObject, KIND, type Kind } from '#lib/repos/git/objects.ts';
import { indexCommits } from '#lib/repos/index-commits.ts';
import type { Git } from './git-binary.ts';

const KINDS: Readonly<Record<string, Kind>> = KIND;

/** Every object of the git binary's repo, from one run of it. */
function* allObjects(git: Git): Generator<{ oid: Oid; type: string; content: Buffer }> {
  const bytes = git.bytes(['cat-file', '--batch-all-objects', '--batch']);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    const [oid, type, size] = bytes.toString('latin1', at, end).split(' ') as [Oid, string, string];
    at = end + 1 + Number(size) + 1;
    yield { oid, type, content: bytes.subarray(end + 1, end + 1 + Number(size)) };
  }
}

/** Copies every object and branch that the git binary made into a repo, as a push would leave them. */
export async function importGit(db: Db, repoId: RepoId, git: Git): Promise<void> {
  const objects: EncodedObject[] = [];
  const commits: { oid: Oid; content: Buffer }[] = [];
  for (const { oid, type, content } of allObjects(git)) {
    const pointer = type === 'blob' ? parsePointer(content) : null;
    objects.push(await encodeObject(KINDS[type] as Kind, content, pointer ?? undefined));
    if (type === 'commit') commits.push({ oid, content });
  }
  await insertObjects(db, repoId, objects);
  const toIndex = commits.map(({ oid, content }) => ({ oid, commit: parseCommit(content), userId: null }));
  await indexCommits(db, repoId, toIndex);
  for (const row of git
    .run(['for-each-ref', '--format=%(refname) %(objectname)'])
    .split('\n')
    .filter(Boolean)) {
    const [name, oid] = row.split(' ') as [string, Oid];
    await db.query(
      'INSERT INTO ref (repo_id, name, oid) VALUES ($1, $2, $3) ON CONFLICT (repo_id, name) DO UPDATE SET oid = EXCLUDED.oid',
      [repoId, name, bytesOf(oid)],
    );
  }
}
