import { transaction } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { type CommitContent, parseCommit } from '../git/commit.ts';
import { decodeObject, KIND, type Kind } from '../git/objects.ts';
import { indexCommits } from '../index-commits.ts';
import { indexPathsJob } from '../jobs.ts';
import type { Fix } from './finding.ts';

const COMMITS_PER_QUERY = 2000;

/** Every whole commit object of a repo. A history of a million commits takes about 500 MB here. */
async function allCommits(app: Pick<App, 'db'>, repoId: RepoId): Promise<Map<Oid, CommitContent>> {
  const commits = new Map<Oid, CommitContent>();
  for (let last: Buffer | null = null; ; ) {
    const { rows }: { rows: { oid: Buffer; kind: Kind; size: number; data: Buffer }[] } = await app.db.query(
      `SELECT oid, kind, size, data FROM git_object
       WHERE repo_id = $1 AND kind = ${KIND.commit} AND ($2::bytea IS NULL OR oid > $2) ORDER BY oid LIMIT $3`,
      [repoId, last, COMMITS_PER_QUERY],
    );
    for (const row of rows) {
      const oid = hexOf<Oid>(row.oid);
      const object = { oid, kind: row.kind, sizeBytes: row.size, data: row.data };
      const content = await decodeObject(object).catch(() => null); // a damaged one is a finding of its own
      if (content !== null) commits.set(oid, parseCommit(content));
    }
    last = rows.at(-1)?.oid ?? null;
    if (rows.length < COMMITS_PER_QUERY) return commits;
  }
}

/** Without the commits whose ancestors are not all there: nobody can say how deep they lie. */
function withoutOrphans(commits: Map<Oid, CommitContent>): Map<Oid, CommitContent> {
  for (let before = -1; before !== commits.size; ) {
    before = commits.size;
    for (const [oid, commit] of commits)
      if (commit.parents.some((parent) => !commits.has(parent))) commits.delete(oid);
  }
  return commits;
}

/**
 * Writes the commit index of a repo anew from its commit objects, in one transaction; who made a commit on this hub is
 * kept. Which paths they changed is worked out by the worker's job; until then listings compare trees.
 */
export function fixCommits(app: Pick<App, 'db' | 'queue'>, repoId: RepoId): Fix {
  return {
    key: `commits:${repoId}`,
    what: `index the commits of repo ${repoId} again`,
    run: async () => {
      const commits = withoutOrphans(await allCommits(app, repoId));
      await transaction(app.db, async (tx) => {
        const { rows } = await tx.query<{ oid: Buffer; user_id: string | null }>(
          'DELETE FROM commit_index WHERE repo_id = $1 RETURNING oid, user_id',
          [repoId],
        );
        const users = new Map(rows.map((row) => [hexOf<Oid>(row.oid), row.user_id]));
        await tx.query('DELETE FROM path_change WHERE repo_id = $1', [repoId]);
        const list = [...commits].map(([oid, commit]) => ({ oid, commit, userId: users.get(oid) ?? null }));
        await indexCommits(tx, repoId, list);
        await app.queue.enqueue(tx, indexPathsJob, { repoId }, { key: String(repoId) });
      });
      return `indexed ${commits.size} commits`;
    },
  };
}

/** Writes what a blob's row says about pointers anew from its content. */
export function fixPointer(
  app: Pick<App, 'db'>,
  repoId: RepoId,
  oid: Oid,
  pointer: { sha256: Sha256; sizeBytes: number } | null,
): Fix {
  return {
    key: `pointer:${repoId}:${oid}`,
    what: `write the row of blob ${oid} anew from its content`,
    run: async () => {
      await app.db.query(
        'UPDATE git_object SET lfs_sha256 = $3, lfs_size = $4 WHERE repo_id = $1 AND oid = $2',
        [repoId, bytesOf(oid), pointer && bytesOf(pointer.sha256), pointer?.sizeBytes ?? null],
      );
      return pointer ? `a pointer to ${pointer.sha256}` : 'not a pointer';
    },
  };
}
