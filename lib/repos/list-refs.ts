import type { Db } from '#lib/base/db.ts';
import { hexOf, type Oid } from '#lib/base/ids.ts';
import type { Repo } from './types.ts';

export interface NamedRef {
  /** Without the `refs/…/` in front; pull requests keep their whole name. */
  readonly name: string;
  /** Full name. */
  readonly ref: string;
  readonly targetCommit: Oid;
}

export interface RepoRefs {
  readonly branches: NamedRef[];
  readonly tags: NamedRef[];
  readonly converts: NamedRef[];
  readonly pullRequests: NamedRef[];
}

const MAX_REFS = 50_000;

/** All refs of a repo by kind, each kind by name, the default branch first. Plan: one range of ref_pkey. */
export async function listRefs(db: Db, repo: Repo): Promise<RepoRefs> {
  const { rows } = await db.query<{ name: string; oid: Buffer }>(
    'SELECT name, oid FROM ref WHERE repo_id = $1 ORDER BY name LIMIT $2',
    [repo.id, MAX_REFS],
  );
  const under = (prefix: string, keep = ''): NamedRef[] =>
    rows
      .filter((row) => row.name.startsWith(prefix))
      .map((row) => ({
        name: keep + row.name.slice(prefix.length),
        ref: row.name,
        targetCommit: hexOf<Oid>(row.oid),
      }));
  const branches = under('refs/heads/');
  branches.sort((a, b) => Number(b.name === repo.defaultBranch) - Number(a.name === repo.defaultBranch));
  return {
    branches,
    tags: under('refs/tags/'),
    converts: under('refs/convert/'),
    pullRequests: under('refs/pr/', 'refs/pr/'),
  };
}
