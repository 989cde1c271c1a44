import type { Queryable } from '#lib/base/db.ts';
import { newId } from '#lib/base/ids.ts';
import type { Replica, ReplicaState } from './types.ts';

/** Live replicas of these endpoints. */
export async function findLiveReplicas(db: Queryable, endpointIds: readonly string[]): Promise<Replica[]> {
  const { rows } = await db.query<{
    id: string;
    endpoint_id: string;
    generation: number;
    node: string;
    state: ReplicaState;
    started_at: Date;
    ready_at: Date | null;
    seen_at: Date;
  }>(
    `SELECT id, endpoint_id, generation, node, state, started_at, ready_at, seen_at
       FROM replica WHERE endpoint_id = ANY($1::bpchar[]) AND state <> 'exited' ORDER BY generation, id`,
    [endpointIds],
  );
  return rows.map((row) => ({
    id: row.id,
    endpointId: row.endpoint_id,
    generation: row.generation,
    node: row.node,
    state: row.state,
    startedAtMs: row.started_at.getTime(),
    readyAtMs: row.ready_at?.getTime() ?? null,
    seenAtMs: row.seen_at.getTime(),
  }));
}

/** Says that this node's worker lives. */
export async function heartbeat(db: Queryable, node: string): Promise<void> {
  await db.query(
    `UPDATE replica SET seen_at = now()
      WHERE node = $1 AND state <> 'exited' AND seen_at < now() - interval '5 seconds'`,
    [node],
  );
}

/** A new live row; the database refuses a second one of the same generation, and then nothing happens. */
export async function insertReplica(
  tx: Queryable,
  endpointId: string,
  generation: number,
  node: string,
): Promise<void> {
  await tx.query(
    `INSERT INTO replica (id, endpoint_id, generation, node, state) VALUES ($1, $2, $3, $4, 'pulling')
     ON CONFLICT (endpoint_id, generation) WHERE state <> 'exited' DO NOTHING`,
    [newId(), endpointId, generation, node],
  );
}

/** Its process is being started: the time limit for loading runs from here. */
export async function markStarting(tx: Queryable, replicaId: string): Promise<void> {
  await tx.query(
    `UPDATE replica SET state = 'starting', started_at = now(), ready_at = NULL, url = NULL
      WHERE id = $1 AND state <> 'exited'`,
    [replicaId],
  );
}

/** The weights are not here after all: bring them first. */
export async function markPulling(tx: Queryable, replicaId: string): Promise<void> {
  await tx.query(`UPDATE replica SET state = 'pulling' WHERE id = $1 AND state <> 'exited'`, [replicaId]);
}

/** From here on the gateway sends it requests. */
export async function markReady(
  tx: Queryable,
  replicaId: string,
  url: string,
  pid: number | null,
): Promise<void> {
  await tx.query(
    `UPDATE replica SET state = 'ready', ready_at = now(), url = $2, pid = $3 WHERE id = $1 AND state <> 'exited'`,
    [replicaId, url, pid],
  );
}

/** From here on the gateway sends it nothing new. */
export async function markStopping(tx: Queryable, replicaId: string): Promise<void> {
  await tx.query(`UPDATE replica SET state = 'stopping' WHERE id = $1 AND state <> 'exited'`, [replicaId]);
}

/** The row's life ends. */
export async function markExited(tx: Queryable, replicaId: string, exitCode: number | null): Promise<void> {
  await tx.query(
    `UPDATE replica SET state = 'exited', ended_at = now(), exit_code = $2 WHERE id = $1 AND state <> 'exited'`,
    [replicaId, exitCode],
  );
}

/** How far its weights are. */
export async function markProgress(
  tx: Queryable,
  replicaId: string,
  doneBytes: number,
  totalBytes: number,
): Promise<void> {
  await tx.query('UPDATE replica SET done_bytes = $2, total_bytes = $3 WHERE id = $1', [
    replicaId,
    doneBytes,
    totalBytes,
  ]);
}

/** Weights that some endpoint which should run needs: never evicted. */
export async function weightsInUse(db: Queryable): Promise<Set<string>> {
  const { rows } = await db.query<{ sha: string }>(
    `SELECT DISTINCT encode(sha256, 'hex') AS sha FROM endpoint WHERE desired = 'running'`,
  );
  return new Set(rows.map((row) => row.sha));
}
