import type { Config } from '#lib/base/config.ts';
import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';

export type Limits = Pick<
  Config,
  'LARDER_QUOTA_USER_BYTES' | 'LARDER_QUOTA_ORG_BYTES' | 'LARDER_QUOTA_REPO_BYTES'
>;

/** A user or organization with the limit of what its repos may hold together; null: none. */
export interface Holder {
  readonly namespaceId: string;
  readonly namespace: string;
  readonly kind: 'user' | 'org';
  readonly limitBytes: number | null;
}

/** A repo with its own limit and that of its holder. */
export interface RepoLimits {
  readonly repoId: RepoId;
  readonly repo: string;
  readonly limitBytes: number | null;
  readonly holder: Holder;
}

interface HolderRow {
  id: string;
  name: string;
  kind: 'user' | 'org';
  own_limit: number | null;
}

const limitOf = (own: number | null, configured: number): number | null => (own ?? configured) || null;

function holderOf(row: HolderRow, config: Limits): Holder {
  const configured = row.kind === 'org' ? config.LARDER_QUOTA_ORG_BYTES : config.LARDER_QUOTA_USER_BYTES;
  return {
    namespaceId: row.id,
    namespace: row.name,
    kind: row.kind,
    limitBytes: limitOf(row.own_limit, configured),
  };
}

/** A namespace with its limit, or null when it is not there. Plan: two primary keys. */
export async function selectHolder(
  db: Queryable,
  config: Limits,
  namespaceId: string,
): Promise<Holder | null> {
  const { rows } = await db.query<HolderRow>({
    name: 'quota-holder',
    text: `SELECT n.id, n.name, n.kind, q.limit_bytes AS own_limit
           FROM namespace n LEFT JOIN storage_quota q ON q.subject_id = n.id WHERE n.id = $1`,
    values: [namespaceId],
  });
  return rows[0] ? holderOf(rows[0], config) : null;
}

/** A live repo with its limits, or null. `lock` keeps it from being moved or deleted while the transaction lasts. */
export async function selectRepoLimits(
  db: Queryable,
  config: Limits,
  repoId: RepoId,
  lock: boolean,
): Promise<RepoLimits | null> {
  const { rows } = await db.query<HolderRow & { repo: string; repo_limit: number | null }>(
    `SELECT n.id, n.name, n.kind, n.name || '/' || r.name AS repo,
            (SELECT limit_bytes FROM storage_quota WHERE subject_id = n.id) AS own_limit,
            (SELECT limit_bytes FROM storage_quota WHERE subject_id = r.public_id) AS repo_limit
     FROM repo r JOIN namespace n ON n.id = r.namespace_id
     WHERE r.id = $1 AND r.deleted_at IS NULL ${lock ? 'FOR SHARE OF r' : ''}`,
    [repoId],
  );
  const row = rows[0];
  if (row === undefined) return null;
  return {
    repoId,
    repo: row.repo,
    limitBytes: limitOf(row.repo_limit, config.LARDER_QUOTA_REPO_BYTES),
    holder: holderOf(row, config),
  };
}

/** Logical bytes of all live repos of a namespace. Plan: the namespace's ranges of repo_live_name, repo_storage_pkey per repo. */
export async function namespaceBytes(db: Queryable, namespaceId: string): Promise<number> {
  const { rows } = await db.query<{ total: number }>({
    name: 'namespace-bytes',
    text: `SELECT coalesce(sum(s.logical_bytes), 0)::bigint AS total
           FROM repo r JOIN repo_storage s ON s.repo_id = r.id
           WHERE r.type IN ('model', 'dataset') AND r.namespace_id = $1 AND r.deleted_at IS NULL`,
    values: [namespaceId],
  });
  return rows[0]?.total ?? 0;
}

/** Logical bytes of a repo. Plan: repo_storage_pkey. */
export async function repoBytes(db: Queryable, repoId: RepoId): Promise<number> {
  const { rows } = await db.query<{ logical_bytes: number }>({
    name: 'repo-bytes',
    text: 'SELECT logical_bytes FROM repo_storage WHERE repo_id = $1',
    values: [repoId],
  });
  return rows[0]?.logical_bytes ?? 0;
}

/** Until the transaction ends no other one adds bytes to repos of this namespace. Taken after the lock of the repo's row. */
export async function lockHolder(tx: Queryable, namespaceId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`quota:${namespaceId}`]);
}
