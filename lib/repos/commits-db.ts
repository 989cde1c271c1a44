import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { CommitSummary } from './types.ts';

/** A commit as walks need it. */
export interface CommitNode {
  readonly oid: Oid;
  readonly parents: readonly Oid[];
  readonly treeOid: Oid;
  readonly authoredAt: Date;
}

/**
 * `start` and up to `limit` - 1 of its first-parent ancestors, newest first; empty when there is no such commit.
 * Plan: recursion of single probes of commit_index_pkey.
 */
export async function selectChain(
  db: Queryable,
  repoId: RepoId,
  start: Oid,
  limit: number,
): Promise<CommitNode[]> {
  const { rows } = await db.query<{ oid: Buffer; parents: Buffer[]; tree_oid: Buffer; authored_at: Date }>({
    name: 'select-chain',
    text: `WITH RECURSIVE chain AS (
             SELECT oid, parents, tree_oid, authored_at, 1 AS depth FROM commit_index WHERE repo_id = $1 AND oid = $2
             UNION ALL
             SELECT c.oid, c.parents, c.tree_oid, c.authored_at, chain.depth + 1
             FROM chain JOIN commit_index c ON c.repo_id = $1 AND c.oid = chain.parents[1]
             WHERE chain.depth < $3)
           SELECT oid, parents, tree_oid, authored_at FROM chain ORDER BY depth`,
    values: [repoId, bytesOf(start), limit],
  });
  return rows.map((row) => ({
    oid: hexOf<Oid>(row.oid),
    parents: row.parents.map((parent) => hexOf<Oid>(parent)),
    treeOid: hexOf<Oid>(row.tree_oid),
    authoredAt: row.authored_at,
  }));
}

/** How many commits can be reached from `start`, itself included. Same plan, once per commit. */
export async function countAncestors(db: Queryable, repoId: RepoId, start: Oid): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    `WITH RECURSIVE reached AS (
       SELECT oid, parents FROM commit_index WHERE repo_id = $1 AND oid = $2
       UNION
       SELECT c.oid, c.parents FROM reached, unnest(reached.parents) AS parent
       JOIN commit_index c ON c.repo_id = $1 AND c.oid = parent)
     SELECT count(*) AS total FROM reached`,
    [repoId, bytesOf(start)],
  );
  return rows[0]?.total ?? 0;
}

/** Summaries of commits by oid, with the name of the user who made each. Plan: one probe per oid and table. */
export async function selectSummaries(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): Promise<Map<Oid, CommitSummary>> {
  const { rows } = await db.query<{
    oid: Buffer;
    parents: Buffer[];
    title: string;
    message: string;
    author_name: string;
    author_email: string;
    authored_at: Date;
    user_name: string | null;
  }>({
    name: 'select-summaries',
    text: `SELECT c.oid, c.parents, c.title, c.message, c.author_name, c.author_email, c.authored_at, n.name AS user_name
           FROM commit_index c LEFT JOIN namespace n ON n.id = c.user_id AND n.deleted_at IS NULL
           WHERE c.repo_id = $1 AND c.oid = ANY($2::bytea[])`,
    values: [repoId, oids.map(bytesOf)],
  });
  return new Map(
    rows.map((row): [Oid, CommitSummary] => {
      const oid = hexOf<Oid>(row.oid);
      return [
        oid,
        {
          oid,
          parents: row.parents.map((parent) => hexOf<Oid>(parent)),
          title: row.title,
          message: row.message,
          authorName: row.author_name,
          authorEmail: row.author_email,
          date: row.authored_at,
          userName: row.user_name,
        },
      ];
    }),
  );
}
