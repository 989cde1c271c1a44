import type { Queryable } from '#lib/base/db.ts';
import { hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { RepoType, Visibility } from '#lib/repos/types.ts';
import type { Desired, Endpoint, EndpointSpec, EndpointState, EngineId, ReplicaState } from './types.ts';

/** Channel that wakes reconcilers: what should be has changed. Payload: endpoint id. */
export const WANTED_CHANNEL = 'larder_endpoint_wanted';
/** Channel for who watches: something about the endpoint has changed. Payload: endpoint id. */
export const CHANGED_CHANNEL = 'larder_endpoint_changed';

/** What an endpoint is addressed by; case-insensitive. */
export interface EndpointRef {
  readonly namespace: string;
  readonly name: string;
}

/** An endpoint with all that its page, its rights and the gateway need. */
export interface EndpointRecord extends Endpoint {
  readonly createdBy: string;
  readonly creator: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly repo: {
    readonly type: RepoType;
    readonly namespace: string;
    readonly name: string;
    readonly namespaceId: string;
    readonly visibility: Visibility;
    readonly isDeleted: boolean;
  };
  /** The live replica of the current generation. */
  readonly replica: {
    readonly id: string;
    readonly state: ReplicaState;
    readonly url: string | null;
    readonly readyAt: Date | null;
    readonly doneBytes: number | null;
    readonly totalBytes: number | null;
  } | null;
}

interface Row {
  id: string;
  namespace_id: string;
  namespace: string;
  name: string;
  repo_id: number;
  commit_oid: Buffer;
  path: string;
  sha256: Buffer;
  engine: EngineId;
  spec: EndpointSpec;
  desired: Desired;
  generation: number;
  state: EndpointState;
  message: string;
  failures: number;
  not_before: Date | null;
  created_by: string;
  creator: string | null;
  created_at: Date;
  updated_at: Date;
  repo_type: RepoType;
  repo_namespace: string;
  repo_name: string;
  repo_namespace_id: string;
  visibility: Visibility;
  repo_deleted_at: Date | null;
  replica_id: string | null;
  replica_state: ReplicaState | null;
  url: string | null;
  ready_at: Date | null;
  done_bytes: number | null;
  total_bytes: number | null;
}

/** Driven by the unique index on (namespace_id, name_key) or the primary key; every join is by primary key. */
const SELECT = `
  SELECT e.id, e.namespace_id, n.name AS namespace, e.name, e.repo_id, e.commit_oid, e.path, e.sha256, e.engine,
         e.spec, e.desired, e.generation, e.state, e.message, e.failures, e.not_before, e.created_by,
         creator.name AS creator, e.created_at, e.updated_at, r.type AS repo_type, rn.name AS repo_namespace,
         r.name AS repo_name, r.namespace_id AS repo_namespace_id, r.visibility, r.deleted_at AS repo_deleted_at,
         x.id AS replica_id, x.state AS replica_state, x.url, x.ready_at, x.done_bytes, x.total_bytes
    FROM endpoint e
    JOIN namespace n ON n.id = e.namespace_id
    JOIN repo r ON r.id = e.repo_id
    JOIN namespace rn ON rn.id = r.namespace_id
    LEFT JOIN namespace creator ON creator.id = e.created_by
    LEFT JOIN replica x ON x.endpoint_id = e.id AND x.generation = e.generation AND x.state <> 'exited'`;

function toRecord(row: Row): EndpointRecord {
  return {
    id: row.id,
    namespaceId: row.namespace_id,
    namespace: row.namespace,
    name: row.name,
    repoId: row.repo_id as RepoId,
    commitOid: hexOf<Oid>(row.commit_oid),
    path: row.path,
    sha256: hexOf<Sha256>(row.sha256),
    engine: row.engine,
    spec: row.spec,
    desired: row.desired,
    generation: row.generation,
    state: row.state,
    message: row.message,
    failures: row.failures,
    notBeforeMs: row.not_before?.getTime() ?? null,
    createdBy: row.created_by,
    creator: row.creator,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    repo: {
      type: row.repo_type,
      namespace: row.repo_namespace,
      name: row.repo_name,
      namespaceId: row.repo_namespace_id,
      visibility: row.visibility,
      isDeleted: row.repo_deleted_at !== null,
    },
    replica:
      row.replica_id === null || row.replica_state === null
        ? null
        : {
            id: row.replica_id,
            state: row.replica_state,
            url: row.url,
            readyAt: row.ready_at,
            doneBytes: row.done_bytes,
            totalBytes: row.total_bytes,
          },
  };
}

/** The endpoint of this name that is not being deleted. Hot, so prepared: the gateway asks once per call. */
export async function findEndpoint(db: Queryable, ref: EndpointRef): Promise<EndpointRecord | null> {
  const { rows } = await db.query<Row>({
    name: 'find-endpoint',
    text: `${SELECT} WHERE n.name_key = lower($1) AND e.name_key = lower($2) AND e.desired <> 'deleted'`,
    values: [ref.namespace, ref.name],
  });
  return rows[0] ? toRecord(rows[0]) : null;
}

/** Endpoints by id, also those being deleted. */
export async function findEndpointsById(db: Queryable, ids: readonly string[]): Promise<EndpointRecord[]> {
  if (ids.length === 0) return [];
  const { rows } = await db.query<Row>(`${SELECT} WHERE e.id = ANY($1::bpchar[])`, [ids]);
  return rows.map(toRecord);
}

/** Endpoints that serve a repo (at most 100), oldest first. */
export async function findEndpointsOfRepo(db: Queryable, repoId: RepoId): Promise<EndpointRecord[]> {
  const { rows } = await db.query<Row>(
    `${SELECT} WHERE e.repo_id = $1 AND e.desired <> 'deleted' ORDER BY e.created_at, e.id LIMIT 100`,
    [repoId],
  );
  return rows.map(toRecord);
}

/** Endpoints in these namespaces and, when asked, those of public repos: newest first, at most 200. */
export async function findVisibleEndpoints(
  db: Queryable,
  options: { namespaceIds: readonly string[]; ofPublicRepos: boolean; namespace: string | null },
): Promise<EndpointRecord[]> {
  const { rows } = await db.query<Row>(
    `${SELECT} WHERE e.desired <> 'deleted'
        AND (e.namespace_id = ANY($1::bpchar[]) OR ($2 AND r.visibility = 'public' AND r.deleted_at IS NULL))
        AND ($3::text IS NULL OR n.name_key = lower($3))
      ORDER BY e.created_at DESC, e.id LIMIT 200`,
    [options.namespaceIds, options.ofPublicRepos, options.namespace],
  );
  return rows.map(toRecord);
}

export interface Usage {
  readonly requests: number;
  readonly errors: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export const NO_USAGE: Usage = { requests: 0, errors: 0, promptTokens: 0, completionTokens: 0 };

/** Totals over all gateways, per endpoint. */
export async function sumUsage(db: Queryable, ids: readonly string[]): Promise<Map<string, Usage>> {
  const { rows } = await db.query<{ endpoint_id: string } & Record<keyof Usage, number>>(
    `SELECT endpoint_id, sum(requests)::bigint AS requests, sum(errors)::bigint AS errors,
            sum(prompt_tokens)::bigint AS "promptTokens", sum(completion_tokens)::bigint AS "completionTokens"
       FROM usage_counter WHERE endpoint_id = ANY($1::bpchar[]) GROUP BY endpoint_id`,
    [ids],
  );
  return new Map(rows.map(({ endpoint_id, ...usage }) => [endpoint_id, usage]));
}
