import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { BoundedCache } from './git/oid-cache.ts';
import { shareInTick } from './share-in-tick.ts';
import type { Repo, RepoRef, RepoType, Visibility } from './types.ts';

export interface RepoRow {
  id: number;
  public_id: string;
  type: RepoType;
  namespace_id: string;
  namespace: string;
  name: string;
  visibility: Visibility;
  default_branch: string;
  created_by: string;
  created_at: Date;
  updated_at: Date;
  downloads: number;
  likes: number;
  git_sweeps: number;
}

/** Columns that make a Repo; the query must alias repo as r and namespace as n. */
export const REPO_COLUMNS = `r.id, r.public_id, r.type, r.namespace_id, n.name AS namespace, r.name, r.visibility,
  r.default_branch, r.created_by, r.created_at, r.updated_at, r.downloads, r.likes, r.git_sweeps`;

/** A row of REPO_COLUMNS as a Repo. */
export function repoOf(row: RepoRow): Repo {
  return {
    id: row.id as RepoId,
    publicId: row.public_id,
    type: row.type,
    namespaceId: row.namespace_id,
    namespace: row.namespace,
    name: row.name,
    visibility: row.visibility,
    defaultBranch: row.default_branch,
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    downloads: row.downloads,
    likes: row.likes,
    gitSweeps: row.git_sweeps,
  };
}

/** The live repo with this key, or null. Plan: repo_pkey, namespace_pkey. */
export async function selectRepoById(db: Queryable, repoId: RepoId): Promise<Repo | null> {
  const { rows } = await db.query<RepoRow>(
    `SELECT ${REPO_COLUMNS} FROM repo r JOIN namespace n ON n.id = r.namespace_id
     WHERE r.id = $1 AND r.deleted_at IS NULL`,
    [repoId],
  );
  return rows[0] ? repoOf(rows[0]) : null;
}

export interface RefRow {
  readonly name: string;
  readonly oid: Oid;
}

/** Postgres text holds no NUL, and no stored name is so long: such a name is simply not there. */
const storable = (text: string) => text.length <= 1024 && !text.includes('\0');

/**
 * Of a pool: repo rows by the versions of the two rows they are made of (xmin changes with every UPDATE), so that a hit is
 * never older than the query that named the versions. 8 MiB.
 */
const rowCaches = new WeakMap<Queryable, BoundedCache<Repo>>();
const REPO_BYTES = 1000;

async function readRepo(db: Queryable, id: RepoId, version: string): Promise<Repo | null> {
  const cache = rowCaches.get(db) ?? new BoundedCache<Repo>(8 * 1024 * 1024);
  // not in a transaction: it sees its own changes, several under one version
  if ('totalCount' in db) rowCaches.set(db, cache);
  const hit = cache.get(id, version);
  if (hit !== undefined) return hit;
  const { rows } = await db.query<RepoRow & { version: string }>({
    name: 'read-repo',
    text: `SELECT ${REPO_COLUMNS}, r.xmin || ':' || n.xmin AS version
           FROM repo r JOIN namespace n ON n.id = r.namespace_id WHERE r.id = $1 AND r.deleted_at IS NULL`,
    values: [id],
  });
  const row = rows[0];
  if (row === undefined) return null;
  const repo = Object.freeze(repoOf(row));
  cache.set(id, row.version, repo, REPO_BYTES);
  return repo;
}

interface FoundRow {
  id: RepoId;
  rx: string;
  nx: string;
  name: string;
  oid: Buffer | null;
  edge?: string | null;
}

const FOUND_COLUMNS = 'r.id, r.xmin AS rx, n.xmin AS nx, f.name, f.oid';
const FOUND_TABLES = `namespace n
  JOIN repo r ON r.type = $1 AND r.namespace_id = n.id AND r.name_key = $3 AND r.deleted_at IS NULL
  LEFT JOIN ref f ON f.repo_id = r.id AND f.name = ANY($4::text[])`;

export interface FoundRepo {
  readonly repo: Repo;
  readonly refs: RefRow[];
  /** Version of the edge that was asked along and of what it leads to; null when none was asked or there is none. */
  readonly edge: string | null;
  /** It was asked for under a name that it had before it was renamed or moved. */
  readonly isMoved: boolean;
}

async function foundOf(db: Queryable, rows: FoundRow[], isMoved: boolean): Promise<FoundRepo | null> {
  const first = rows[0];
  const repo = first ? await readRepo(db, first.id, `${first.rx}:${first.nx}`) : null;
  if (first === undefined || repo === null) return null;
  const refs = rows.flatMap((row) =>
    row.oid === null ? [] : [{ name: row.name, oid: hexOf<Oid>(row.oid) }],
  );
  return { repo, refs, edge: first.edge ?? null, isMoved };
}

/**
 * Requests for files of one repo come in bursts (a snapshot is dozens at once): those that arrive together share
 * one query. Not in a transaction, which must see its own changes.
 */
function find(
  db: Queryable,
  query: { name: string; text: string; values: unknown[] },
  isMoved = false,
): Promise<FoundRepo | null> {
  const ask = async () => foundOf(db, (await db.query<FoundRow>(query)).rows, isMoved);
  if (!('totalCount' in db)) return ask();
  const parts = query.values.flat().map((value) => (Buffer.isBuffer(value) ? value.toString('hex') : value));
  return shareInTick(db, [query.name, ...parts].join('\0'), ask); // no part holds a NUL: see storable
}

const nameValues = (ref: RepoRef, refNames: readonly string[]) => [
  ref.type,
  ref.namespace.toLowerCase(),
  ref.name.toLowerCase(),
  refNames.filter(storable),
];

/** The repo that had this name before it moved; asked only where no repo has the name now. Plan: as above, by repo_redirect_pkey. */
function findMoved(db: Queryable, ref: RepoRef, refNames: readonly string[]): Promise<FoundRepo | null> {
  const text = `SELECT ${FOUND_COLUMNS} FROM namespace old
    JOIN repo_redirect d ON d.type = $1 AND d.namespace_id = old.id AND d.name_key = $3
    JOIN repo r ON r.id = d.repo_id AND r.deleted_at IS NULL
    JOIN namespace n ON n.id = r.namespace_id
    LEFT JOIN ref f ON f.repo_id = r.id AND f.name = ANY($4::text[])
    WHERE old.name_key = $2 AND old.deleted_at IS NULL`;
  return find(db, { name: 'select-moved-repo', text, values: nameValues(ref, refNames) }, true);
}

/**
 * The live repo of this name, whatever its visibility, with those of `refNames` that exist: one query, the first
 * of every request (and one more when the repo's row has changed since this process read it, or when no repo has the
 * name: then the one that had it before it moved). Plan: namespace_name_key_key -> repo_live_name -> ref_pkey, one probe each.
 */
export async function selectRepoAndRefs(
  db: Queryable,
  ref: RepoRef,
  refNames: readonly string[],
): Promise<FoundRepo | null> {
  if (!storable(ref.namespace) || !storable(ref.name)) return null;
  const query = {
    name: 'select-repo-and-refs',
    text: `SELECT ${FOUND_COLUMNS} FROM ${FOUND_TABLES} WHERE n.name_key = $2 AND n.deleted_at IS NULL`,
    values: nameValues(ref, refNames),
  };
  return (await find(db, query)) ?? findMoved(db, ref, refNames);
}

/**
 * selectRepoAndRefs that in the same query looks at the edge to a large file which the caller expects to need.
 * Three more probes of primary keys.
 */
export async function selectRepoRefsAndEdge(
  db: Queryable,
  ref: RepoRef,
  refNames: readonly string[],
  expected: Sha256,
): Promise<FoundRepo | null> {
  if (!storable(ref.namespace) || !storable(ref.name)) return null;
  const query = {
    name: 'select-repo-refs-and-edge',
    text: `SELECT ${FOUND_COLUMNS}, e.xmin || concat(':', o.xmin, ':', x.xmin) AS edge
           FROM ${FOUND_TABLES}
           LEFT JOIN (repo_file e LEFT JOIN stored_object o ON o.id = e.object_id
                                  LEFT JOIN xet_file x ON x.id = e.xet_file_id)
             ON e.repo_id = r.id AND e.sha256 = $5
           WHERE n.name_key = $2 AND n.deleted_at IS NULL`,
    values: [...nameValues(ref, refNames), bytesOf(expected)],
  };
  return (await find(db, query)) ?? findMoved(db, ref, refNames);
}

/** Those of the named refs that exist. Plan: one probe of ref_pkey per name. */
export async function selectRefs(db: Queryable, repoId: RepoId, names: readonly string[]): Promise<RefRow[]> {
  const { rows } = await db.query<{ name: string; oid: Buffer }>({
    name: 'select-refs',
    text: 'SELECT name, oid FROM ref WHERE repo_id = $1 AND name = ANY($2::text[])',
    values: [repoId, names.filter(storable)],
  });
  return rows.map((row) => ({ name: row.name, oid: hexOf<Oid>(row.oid) }));
}

/** Locks one ref until the transaction ends and returns where it is, or null when there is none. Plan: ref_pkey. */
export async function lockRef(tx: Queryable, repoId: RepoId, name: string): Promise<Oid | null> {
  const { rows } = await tx.query<{ oid: Buffer }>(
    'SELECT oid FROM ref WHERE repo_id = $1 AND name = $2 FOR UPDATE',
    [repoId, name],
  );
  return rows[0] ? hexOf<Oid>(rows[0].oid) : null;
}

/** Root trees of those of `oids` that are commits of this repo. Plan: one probe of commit_index_pkey per oid. */
export async function selectRoots(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): Promise<Map<Oid, Oid>> {
  const { rows } = await db.query<{ oid: Buffer; tree_oid: Buffer }>({
    name: 'select-roots',
    text: 'SELECT oid, tree_oid FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    values: [repoId, oids.map(bytesOf)],
  });
  return new Map(rows.map((row) => [hexOf<Oid>(row.oid), hexOf<Oid>(row.tree_oid)]));
}

/** Commits whose oid begins with these hex digits: at most two, enough to see an ambiguity. Plan: range of commit_index_pkey. */
export async function selectCommitsByPrefix(db: Queryable, repoId: RepoId, prefix: string): Promise<Oid[]> {
  const low = Buffer.from(prefix.padEnd(40, '0'), 'hex');
  const high = Buffer.from(prefix.padEnd(40, 'f'), 'hex');
  const { rows } = await db.query<{ oid: Buffer }>(
    'SELECT oid FROM commit_index WHERE repo_id = $1 AND oid BETWEEN $2 AND $3 LIMIT 2',
    [repoId, low, high],
  );
  return rows.map((row) => hexOf<Oid>(row.oid));
}
