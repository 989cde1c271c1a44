import type { Queryable } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { roleIn } from '#lib/identity/policy.ts';
import type { RepoType } from '../types.ts';
import { namespaceBytes, selectHolder } from './quotas-db.ts';

/** What one repo holds. */
export interface RepoUsage {
  readonly type: RepoType;
  readonly namespace: string;
  readonly name: string;
  readonly isPrivate: boolean;
  /** Each distinct large file once. */
  readonly logicalBytes: number;
  readonly fileCount: number;
  /** In the store, as computed last for the repo's storage page; null when never. */
  readonly storedBytes: number | null;
  /** Limit of this repo alone; null when an administrator set none. */
  readonly limitBytes: number | null;
}

/** What a user or an organization holds. */
export interface NamespaceUsage {
  readonly namespace: string;
  readonly kind: 'user' | 'org';
  readonly usedBytes: number;
  readonly limitBytes: number | null;
  readonly repoCount: number;
  /** The largest first, 100 at most. */
  readonly repos: readonly RepoUsage[];
  /** The reader may set limits. */
  readonly maySetLimits: boolean;
}

const MAX_REPOS = 100;

interface Row {
  type: RepoType;
  namespace: string;
  name: string;
  is_private: boolean;
  logical: number;
  files: number;
  stored: number | null;
  limit_bytes: number | null;
  total: number;
}

async function largestRepos(db: Queryable, namespaceId: string): Promise<Row[]> {
  const { rows } = await db.query<Row>(
    `SELECT r.type, n.name AS namespace, r.name, r.visibility = 'private' AS is_private,
            coalesce(s.logical_bytes, 0)::bigint AS logical, coalesce(s.file_count, 0) AS files,
            (p.report->>'storedBytes')::bigint AS stored, nullif(q.limit_bytes, 0) AS limit_bytes,
            count(*) OVER ()::int AS total
     FROM repo r JOIN namespace n ON n.id = r.namespace_id
     LEFT JOIN repo_storage s ON s.repo_id = r.id
     LEFT JOIN storage_report p ON p.repo_id = r.id
     LEFT JOIN storage_quota q ON q.subject_id = r.public_id
     WHERE r.type IN ('model', 'dataset') AND r.namespace_id = $1 AND r.deleted_at IS NULL
     ORDER BY logical DESC, r.id LIMIT $2`,
    [namespaceId, MAX_REPOS],
  );
  return rows;
}

/** The live namespace of this name, whatever its case; not_found. */
export async function findNamespaceId(db: Queryable, name: string): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    'SELECT id FROM namespace WHERE name_key = $1 AND deleted_at IS NULL',
    [name.slice(0, 200).replaceAll('\0', '').toLowerCase()],
  );
  if (rows[0] === undefined) throw hubError('not_found', 'there is no user or organization of this name');
  return rows[0].id;
}

/**
 * How much a user or an organization holds, of what limit, and which repos hold it. For the user, for members of the
 * organization (who may see all its repos), and for administrators of the hub, who see sums and public repos. Throws
 * unauthenticated, not_found, forbidden.
 */
export async function readUsage(
  ctx: Pick<Ctx, 'db' | 'config' | 'principal'>,
  name: string,
): Promise<NamespaceUsage> {
  const { principal } = ctx;
  if (principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in to see what is stored');
  const namespaceId = await findNamespaceId(ctx.db, name);
  const isMember = roleIn(principal, namespaceId) !== null;
  if (!isMember && !principal.isAdmin)
    throw hubError('forbidden', 'Only its members and administrators of the hub see how much it stores');
  const holder = await selectHolder(ctx.db, ctx.config, namespaceId);
  if (holder === null) throw hubError('not_found', 'there is no user or organization of this name');
  const rows = await largestRepos(ctx.db, namespaceId);
  const repos = rows.filter((row) => isMember || !row.is_private);
  return {
    namespace: holder.namespace,
    kind: holder.kind,
    usedBytes: await namespaceBytes(ctx.db, namespaceId),
    limitBytes: holder.limitBytes,
    repoCount: rows[0]?.total ?? 0,
    repos: repos.map((row) => ({
      type: row.type,
      namespace: row.namespace,
      name: row.name,
      isPrivate: row.is_private,
      logicalBytes: row.logical,
      fileCount: row.files,
      storedBytes: row.stored,
      limitBytes: row.limit_bytes,
    })),
    maySetLimits: principal.isAdmin,
  };
}
