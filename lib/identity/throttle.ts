import { createHash } from 'node:crypto';
import { hubError } from '#lib/base/errors.ts';
import type { App } from './context.ts';

/** A bound on attempts: at most `limit` of `what` by `whom` in each fixed window. */
export interface Bound {
  readonly what: string;
  readonly whom: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

type Throttled = Pick<App, 'db' | 'clock'>;

function keyOf(bound: Bound): Buffer {
  return createHash('sha256').update(`${bound.what}\n${bound.whom}`).digest();
}

/** An address as attempts are counted by it: IPv6 by its /64, which one customer holds as a whole. */
export function addressBlock(ip: string | null): string {
  if (ip === null) return 'unknown';
  const plain = ip.replace(/^::ffff:(?=\d+\.)/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':').filter(Boolean);
  if (tail !== undefined) while (groups.length < 4) groups.push('0');
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/**
 * Counts one attempt against every bound, in Postgres, so that all processes count together; throws rate_limited
 * with the seconds to wait as soon as one bound is exceeded. Count before the work is done: attempts made at the
 * same time are all counted. Rows of past windows are removed a few at a time.
 */
export async function countAttempt(app: Throttled, bounds: readonly Bound[]): Promise<void> {
  const nowMs = app.clock.now();
  const counters = bounds
    .map((bound) => ({
      key: keyOf(bound),
      limit: bound.limit,
      endsAt: new Date(nowMs + bound.windowSeconds * 1000),
    }))
    .sort((a, b) => a.key.compare(b.key)); // one order of row locks
  const { rows } = await app.db.query<{ key: Buffer; count: number; ends_at: Date }>(
    `INSERT INTO throttle (key, count, ends_at)
     SELECT key, 1, ends_at FROM unnest($1::bytea[], $2::timestamptz[]) AS t (key, ends_at)
     ON CONFLICT (key) DO UPDATE SET
       count = CASE WHEN throttle.ends_at <= $3 THEN 1 ELSE throttle.count + 1 END,
       ends_at = CASE WHEN throttle.ends_at <= $3 THEN excluded.ends_at ELSE throttle.ends_at END
     RETURNING key, count, ends_at`,
    [counters.map((c) => c.key), counters.map((c) => c.endsAt), new Date(nowMs)],
  );
  let waitMs = 0;
  for (const row of rows) {
    const limit = counters.find((c) => c.key.equals(row.key))?.limit ?? 0;
    if (row.count > limit) waitMs = Math.max(waitMs, row.ends_at.getTime() - nowMs);
  }
  if (waitMs === 0) return;
  await app.db.query(
    `DELETE FROM throttle WHERE key IN
       (SELECT key FROM throttle WHERE ends_at < $1 ORDER BY ends_at LIMIT 20 FOR UPDATE SKIP LOCKED)`,
    [new Date(nowMs)],
  );
  const retryAfterSeconds = Math.ceil(waitMs / 1000);
  throw hubError('rate_limited', `too many attempts: try again in ${retryAfterSeconds} seconds`, {
    details: { retryAfterSeconds },
  });
}

/** Takes back one counted attempt that turned out to be honest. */
export async function uncountAttempt(app: Throttled, bounds: readonly Bound[]): Promise<void> {
  const keys = bounds.map(keyOf);
  await app.db.query(
    `UPDATE throttle SET count = count - 1 WHERE count > 0 AND key IN
       (SELECT key FROM throttle WHERE key = ANY ($1) ORDER BY key FOR UPDATE)`,
    [keys],
  );
}
