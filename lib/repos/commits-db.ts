import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { CommitSummary } from './types.ts';

/** A commit as walks need it. */
export interface CommitNode {
  readonly oid: Oid;
  readonly parents: readonly Oid[];
  readonly treeOid: Oid;
  readonly committedAt: Date;
  /** Greater than that of every commit it reaches; 1 for a root. */
  readonly generation: number;
  /** What it and all that it reaches changed is in path_change. */
  readonly hasPaths: boolean;
}

interface NodeRow {
  oid: Buffer;
  parents: Buffer[];
  tree_oid: Buffer;
  committed_at: Date;
  generation: number;
  has_paths: boolean;
}

const nodeOf = (row: NodeRow): CommitNode => ({
  oid: hexOf<Oid>(row.oid),
  parents: row.parents.map((parent) => hexOf<Oid>(parent)),
  treeOid: hexOf<Oid>(row.tree_oid),
  committedAt: row.committed_at,
  generation: row.generation,
  hasPaths: row.has_paths,
});

/** Commits by oid, in any order; what is not there is left out. Plan: one probe of commit_index_pkey per oid. */
export async function selectNodes(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): Promise<Map<Oid, CommitNode>> {
  const { rows } = await db.query<NodeRow>({
    name: 'select-nodes',
    text: `SELECT oid, parents, tree_oid, committed_at, generation, has_paths
           FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])`,
    values: [repoId, oids.map(bytesOf)],
  });
  return new Map(rows.map((row): [Oid, CommitNode] => [hexOf<Oid>(row.oid), nodeOf(row)]));
}

/**
 * Oids of `start` and its first-parent ancestors down to `minGeneration`, newest first. Plan: recursion of single
 * probes of commit_index_pkey; the oids come as one value, since rows of their own would cost more than the walk.
 */
export async function selectFirstParents(
  db: Queryable,
  repoId: RepoId,
  start: Oid,
  minGeneration: number,
): Promise<Oid[]> {
  const { rows } = await db.query<{ oids: Buffer | null }>({
    name: 'select-first-parents',
    text: `WITH RECURSIVE chain AS (
             SELECT oid, parents[1] AS parent, generation FROM commit_index WHERE repo_id = $1 AND oid = $2
             UNION ALL
             SELECT c.oid, c.parents[1], c.generation
             FROM chain JOIN commit_index c ON c.repo_id = $1 AND c.oid = chain.parent
             WHERE chain.generation > $3)
           SELECT string_agg(oid, ''::bytea ORDER BY generation DESC) AS oids FROM chain`,
    values: [repoId, bytesOf(start), minGeneration],
  });
  const oids = rows[0]?.oids?.toString('hex') ?? '';
  return Array.from({ length: oids.length / 40 }, (_, i) => oids.slice(i * 40, i * 40 + 40) as Oid);
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
  const { rows } = await db.query<NodeRow>({
    name: 'select-chain',
    text: `WITH RECURSIVE chain AS (
             SELECT oid, parents, tree_oid, committed_at, generation, has_paths, 1 AS depth
             FROM commit_index WHERE repo_id = $1 AND oid = $2
             UNION ALL
             SELECT c.oid, c.parents, c.tree_oid, c.committed_at, c.generation, c.has_paths, chain.depth + 1
             FROM chain JOIN commit_index c ON c.repo_id = $1 AND c.oid = chain.parents[1]
             WHERE chain.depth < $3)
           SELECT oid, parents, tree_oid, committed_at, generation, has_paths FROM chain ORDER BY depth`,
    values: [repoId, bytesOf(start), limit],
  });
  return rows.map(nodeOf);
}

/**
 * All commits that can be reached from `starts`, a parent always before its children. Plan: one probe of
 * commit_index_pkey per commit; memory: some hundred bytes each.
 */
export async function selectReachable(
  db: Queryable,
  repoId: RepoId,
  starts: readonly Oid[],
): Promise<CommitNode[]> {
  const { rows } = await db.query<NodeRow>({
    name: 'select-reachable',
    text: `WITH RECURSIVE reached AS (
             SELECT oid, parents, tree_oid, committed_at, generation, has_paths
             FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])
             UNION
             SELECT c.oid, c.parents, c.tree_oid, c.committed_at, c.generation, c.has_paths
             FROM reached, unnest(reached.parents) AS parent
             JOIN commit_index c ON c.repo_id = $1 AND c.oid = parent)
           SELECT * FROM reached ORDER BY generation, oid`,
    values: [repoId, starts.map(bytesOf)],
  });
  return rows.map(nodeOf);
}

/**
 * How many commits can be reached from `start`, itself included; 0 when there is no such commit. One probe where the
 * index knows it; behind a merge counted once (one probe per commit) and written down.
 */
export async function countAncestors(db: Queryable, repoId: RepoId, start: Oid): Promise<number> {
  const known = await db.query<{ reached: number | null }>({
    name: 'count-ancestors',
    text: 'SELECT reached FROM commit_index WHERE repo_id = $1 AND oid = $2',
    values: [repoId, bytesOf(start)],
  });
  const [row] = known.rows;
  if (row === undefined) return 0;
  if (row.reached !== null) return row.reached;
  const { rows } = await db.query<{ total: number }>(
    `WITH RECURSIVE reached AS (
       SELECT oid, parents FROM commit_index WHERE repo_id = $1 AND oid = $2
       UNION
       SELECT c.oid, c.parents FROM reached, unnest(reached.parents) AS parent
       JOIN commit_index c ON c.repo_id = $1 AND c.oid = parent)
     UPDATE commit_index SET reached = (SELECT count(*) FROM reached) WHERE repo_id = $1 AND oid = $2
     RETURNING reached AS total`,
    [repoId, bytesOf(start)],
  );
  return rows[0]?.total ?? 0;
}

/**
 * Whether `ancestor` is `descendant` or can be reached from it. Plan: probes of commit_index_pkey from `descendant`
 * down to the generation of `ancestor`, no further.
 */
export async function isAncestor(
  db: Queryable,
  repoId: RepoId,
  ancestor: Oid,
  descendant: Oid,
): Promise<boolean> {
  if (ancestor === descendant) return true;
  const { rows } = await db.query<{ found: boolean }>(
    `WITH RECURSIVE goal AS (SELECT generation FROM commit_index WHERE repo_id = $1 AND oid = $2),
     reached AS (
       SELECT oid, parents FROM commit_index WHERE repo_id = $1 AND oid = $3
       UNION
       SELECT c.oid, c.parents FROM goal, reached, unnest(reached.parents) AS parent
       JOIN commit_index c ON c.repo_id = $1 AND c.oid = parent
       WHERE c.generation >= goal.generation)
     SELECT EXISTS (SELECT 1 FROM reached WHERE oid = $2) AS found`,
    [repoId, bytesOf(ancestor), bytesOf(descendant)],
  );
  return rows[0]?.found === true;
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
