import type { App } from './context.ts';

const BATCH = 1_000;
const REMEMBER_MS = 30 * 24 * 3_600_000;

/**
 * Deletes sessions that ended more than 30 days ago and attempt counters whose window has passed, in small
 * statements; returns how many sessions. Running it twice, or in two workers, does no harm.
 */
export async function sweepSessions(app: Pick<App, 'db' | 'clock'>): Promise<number> {
  const nowMs = app.clock.now();
  let swept = 0;
  for (;;) {
    const { rowCount } = await app.db.query(
      `DELETE FROM session WHERE id_hash IN
         (SELECT id_hash FROM session WHERE least(expires_at, revoked_at) < $1 LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
      [new Date(nowMs - REMEMBER_MS)],
    );
    swept += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) break;
  }
  for (;;) {
    const { rowCount } = await app.db.query(
      `DELETE FROM throttle WHERE key IN
         (SELECT key FROM throttle WHERE ends_at < $1 ORDER BY ends_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
      [new Date(nowMs)],
    );
    if ((rowCount ?? 0) < BATCH) return swept;
  }
}
