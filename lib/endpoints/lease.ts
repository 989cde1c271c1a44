import { type Db, type Queryable, type Tx, transaction } from '#lib/base/db.ts';
import type { Endpoint } from './types.ts';

/** The right of one worker to act on one endpoint until it expires. */
export interface Lease {
  readonly endpointId: string;
  readonly owner: string;
  /** Grows with every change of hands: what an earlier holder still tries to write is refused by it. */
  readonly fence: number;
}

/** The lease went to another worker, or what should be has changed since it was read. Look again, do nothing. */
export class Outdated extends Error {}

const LEASE_SECONDS = 15;
const NODE_LOST_SECONDS = 30;
const MOST = 500;

/** Endpoints where something may be left to do. `$3`: those that have engines on this node. */
const NEEDS_WORK = `(e.desired = 'deleted'
  OR (e.desired = 'running' AND e.state <> 'failed')
  OR (e.desired = 'stopped' AND (e.state <> 'stopped' OR e.message <> ''))
  OR e.id = ANY($3::bpchar[])
  OR EXISTS (SELECT 1 FROM replica x WHERE x.endpoint_id = e.id AND x.state <> 'exited'))`;

/**
 * Takes the free leases of endpoints that need work, renews those held for half their time, and returns all that
 * are held now. Endpoints whose engine runs on another living node are left to that node.
 */
export async function takeLeases(
  db: Queryable,
  owner: string,
  node: string,
  endpointsWithEngines: readonly string[],
): Promise<Lease[]> {
  await db.query(
    `UPDATE endpoint SET lease_owner = $1, lease_until = now() + make_interval(secs => ${LEASE_SECONDS}),
            fence = CASE WHEN lease_owner = $1 AND lease_until > now() THEN fence ELSE fence + 1 END
      WHERE id IN (
        SELECT e.id FROM endpoint e
         WHERE ${NEEDS_WORK}
           AND (e.lease_until IS NULL OR e.lease_until < now()
                OR (e.lease_owner = $1 AND e.lease_until < now() + make_interval(secs => ${LEASE_SECONDS / 2})))
           AND NOT EXISTS (SELECT 1 FROM replica x WHERE x.endpoint_id = e.id AND x.state <> 'exited'
                 AND x.node <> $2 AND x.seen_at > now() - make_interval(secs => ${NODE_LOST_SECONDS}))
         ORDER BY e.id LIMIT ${MOST} FOR UPDATE SKIP LOCKED)`,
    [owner, node, endpointsWithEngines],
  );
  const { rows } = await db.query<{ id: string; fence: number }>(
    `SELECT e.id, e.fence FROM endpoint e
      WHERE e.lease_owner = $1 AND e.lease_until > now() AND $2::text IS NOT NULL AND ${NEEDS_WORK} LIMIT ${MOST}`,
    [owner, node, endpointsWithEngines],
  );
  return rows.map((row) => ({ endpointId: row.id, owner, fence: row.fence }));
}

/** Gives all leases back, so that another worker need not wait for them to expire. */
export async function releaseLeases(db: Queryable, owner: string): Promise<void> {
  await db.query(
    'UPDATE endpoint SET lease_owner = NULL, lease_until = NULL, fence = fence + 1 WHERE lease_owner = $1',
    [owner],
  );
}

/** Who else holds leases now. */
export async function otherHolders(db: Queryable, owner: string): Promise<string[]> {
  const { rows } = await db.query<{ lease_owner: string }>(
    'SELECT DISTINCT lease_owner FROM endpoint WHERE lease_owner <> $1 AND lease_until > now()',
    [owner],
  );
  return rows.map((row) => row.lease_owner);
}

/**
 * Runs `work` in a transaction that holds the endpoint's row, only if the lease is still ours and what should be
 * is still what was decided on. Throws Outdated otherwise, without effect.
 */
export async function fenced<T>(
  db: Db,
  lease: Lease,
  decidedOn: Pick<Endpoint, 'desired' | 'generation'>,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return transaction(db, async (tx) => {
    const { rowCount } = await tx.query(
      `SELECT 1 FROM endpoint WHERE id = $1 AND lease_owner = $2 AND fence = $3 AND desired = $4 AND generation = $5
          FOR UPDATE`,
      [lease.endpointId, lease.owner, lease.fence, decidedOn.desired, decidedOn.generation],
    );
    if (rowCount === 0) throw new Outdated();
    return work(tx);
  });
}
