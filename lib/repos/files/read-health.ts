import type { Queryable } from '#lib/base/db.ts';

/** What is known of the stored bytes. */
export interface StoredHealth {
  readonly objects: number;
  readonly bytes: number;
  readonly lost: number;
  /** Never read again since they came, or not for 30 days. */
  readonly unread: number;
  /** A few keys of lost objects. */
  readonly lostKeys: readonly string[];
}

/** Counts objects in use, lost ones and those that the scrub has not read lately. One pass over stored_object. */
export async function readStoredHealth(db: Queryable): Promise<StoredHealth> {
  const { rows } = await db.query<Omit<StoredHealth, 'lostKeys'> & { lost_keys: string[] }>(
    `SELECT count(*) FILTER (WHERE state = 'live') AS objects,
       coalesce(sum(size_bytes) FILTER (WHERE state = 'live'), 0)::bigint AS bytes,
       count(*) FILTER (WHERE state = 'lost') AS lost,
       count(*) FILTER (WHERE state = 'live' AND created_at < now() - interval '30 days'
                          AND (scrubbed_at IS NULL OR scrubbed_at < now() - interval '30 days')) AS unread,
       ARRAY(SELECT key FROM stored_object WHERE state = 'lost' ORDER BY id LIMIT 5) AS lost_keys
     FROM stored_object`,
  );
  const { lost_keys: lostKeys, ...counts } = rows[0] as Omit<StoredHealth, 'lostKeys'> & {
    lost_keys: string[];
  };
  return {
    objects: Number(counts.objects),
    bytes: Number(counts.bytes),
    lost: Number(counts.lost),
    unread: Number(counts.unread),
    lostKeys,
  };
}
