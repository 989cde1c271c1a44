import type { Queryable } from '#lib/base/db.ts';
import type { ReclaimOptions, ReclaimResult } from './types.ts';

export type RunState = 'running' | 'done' | 'stopped' | 'refused' | 'failed';

/** A run as pages and scripts see it. */
export interface RunRow {
  readonly id: number;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly cause: ReclaimOptions['cause'];
  readonly userName: string | null;
  readonly isDry: boolean;
  readonly options: { readonly isNow: boolean; readonly isForced: boolean; readonly dropsPins: boolean };
  readonly state: RunState;
  readonly phase: string;
  readonly result: ReclaimResult | null;
  readonly message: string;
}

export async function insertRun(db: Queryable, options: ReclaimOptions): Promise<number> {
  const { cause, userId, isDry, isNow = false, isForced = false, dropsPins = false } = options;
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO reclaim_run (cause, user_id, is_dry, options, state) VALUES ($1, $2, $3, $4, 'running') RETURNING id`,
    [cause, userId ?? null, isDry, JSON.stringify({ isNow, isForced, dropsPins })],
  );
  return rows[0]?.id as number;
}

/** Notes what the run is at; the database's clock is its heartbeat. */
export async function notePhase(db: Queryable, id: number, phase: string): Promise<void> {
  await db.query('UPDATE reclaim_run SET phase = $2, seen_at = now() WHERE id = $1', [id, phase]);
}

export async function endRun(
  db: Queryable,
  id: number,
  end: { readonly state: RunState; readonly result: ReclaimResult | null; readonly message: string },
): Promise<void> {
  await db.query(
    `UPDATE reclaim_run SET ended_at = now(), seen_at = now(), phase = '', state = $2, result = $3, message = $4 WHERE id = $1`,
    [id, end.state, end.result === null ? null : JSON.stringify(end.result), end.message],
  );
}

/** Under the lease: whoever is still said to be running has died. */
export async function endLostRuns(db: Queryable): Promise<void> {
  await db.query(
    `UPDATE reclaim_run SET ended_at = now(), state = 'failed', phase = '', message = 'its process ended'
     WHERE state = 'running'`,
  );
}

/** The latest runs, newest first. */
export async function listRuns(db: Queryable, limit: number): Promise<RunRow[]> {
  const { rows } = await db.query<RunRow>(
    `SELECT r.id, r.started_at AS "startedAt", r.ended_at AS "endedAt", r.cause, n.name AS "userName",
            r.is_dry AS "isDry", r.options, r.state, r.phase, r.result, r.message
     FROM reclaim_run r LEFT JOIN namespace n ON n.id = r.user_id ORDER BY r.id DESC LIMIT $1`,
    [limit],
  );
  return rows;
}
