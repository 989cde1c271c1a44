import type { Queryable } from '#lib/base/db.ts';
import { CHANGED_CHANNEL, WANTED_CHANNEL } from './db.ts';
import type { EndpointState } from './types.ts';

export type EndpointEvent =
  | {
      readonly id: number;
      readonly at: string;
      readonly kind: 'state';
      readonly state: EndpointState | null;
      readonly message: string;
    }
  | { readonly id: number; readonly at: string; readonly kind: 'log'; readonly line: string };

/** Log rows kept per endpoint; older ones go when new ones come. */
const KEPT_LOG_LINES = 2_000;

/**
 * Appends to the timeline inside the caller's transaction. The endpoint's row must be locked by it (every UPDATE
 * does that): then ids of one endpoint grow in the order in which they become visible, and who reads "after id" misses nothing.
 */
export async function addStateEvent(
  tx: Queryable,
  endpointId: string,
  state: EndpointState | null,
  message: string,
): Promise<void> {
  await tx.query(
    `INSERT INTO endpoint_event (endpoint_id, at, kind, state, message) VALUES ($1, clock_timestamp(), 'state', $2, $3)`,
    [endpointId, state, message],
  );
}

/** Appends lines of an engine's log, if the endpoint still exists, and drops the oldest beyond the bound. */
export async function addLogLines(
  db: Queryable,
  endpointId: string,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  await db.query(
    `WITH locked AS (SELECT id FROM endpoint WHERE id = $1 FOR UPDATE),
          added AS (
            INSERT INTO endpoint_event (endpoint_id, at, kind, message)
            SELECT locked.id, clock_timestamp(), 'log', line FROM locked, unnest($2::text[]) WITH ORDINALITY AS l(line, n)
            ORDER BY n RETURNING id)
     DELETE FROM endpoint_event WHERE endpoint_id = $1 AND kind = 'log' AND id <= (
       SELECT id FROM endpoint_event WHERE endpoint_id = $1 AND kind = 'log' ORDER BY id DESC OFFSET $3 LIMIT 1)`,
    [endpointId, lines, KEPT_LOG_LINES],
  );
}

/** The last log lines, oldest first. */
export async function lastLogLines(db: Queryable, endpointId: string, count: number): Promise<string[]> {
  const { rows } = await db.query<{ message: string }>(
    `SELECT message FROM endpoint_event WHERE endpoint_id = $1 AND kind = 'log' ORDER BY id DESC LIMIT $2`,
    [endpointId, count],
  );
  return rows.map((row) => row.message).toReversed();
}

/** Events with a larger id than `after`, oldest first; without `after` the last `limit` ones. */
export async function selectEvents(
  db: Queryable,
  endpointId: string,
  options: { after: number | null; limit: number; kinds: readonly ('state' | 'log')[] },
): Promise<EndpointEvent[]> {
  const { rows } = await db.query<{
    id: number;
    at: Date;
    kind: 'state' | 'log';
    state: EndpointState | null;
    message: string;
  }>(
    options.after === null
      ? `SELECT * FROM (SELECT id, at, kind, state, message FROM endpoint_event
           WHERE endpoint_id = $1 AND kind = ANY($2) ORDER BY id DESC LIMIT $3) latest ORDER BY id`
      : `SELECT id, at, kind, state, message FROM endpoint_event
           WHERE endpoint_id = $1 AND kind = ANY($2) AND id > $4 ORDER BY id LIMIT $3`,
    [endpointId, options.kinds, options.limit, ...(options.after === null ? [] : [options.after])],
  );
  return rows.map((row) => {
    const event = { id: row.id, at: row.at.toISOString() };
    return row.kind === 'log'
      ? { ...event, kind: 'log', line: row.message }
      : { ...event, kind: 'state', state: row.state, message: row.message };
  });
}

/** Tells watchers, and with `wanted` reconcilers too, when the caller's transaction commits. */
export async function notifyChange(
  tx: Queryable,
  endpointId: string,
  options: { wanted: boolean },
): Promise<void> {
  await tx.query('SELECT pg_notify($1, $2)', [CHANGED_CHANNEL, endpointId]);
  if (options.wanted) await tx.query('SELECT pg_notify($1, $2)', [WANTED_CHANNEL, endpointId]);
}
