import { failpoint } from '#lib/base/failpoint.ts';
import type { Run } from './types.ts';

const KEYS_PER_BATCH = 500;

/**
 * Deletes the bytes of objects that are `deleting`, then their rows. Killed between the two, the next run deletes them
 * again, which the store does not mind: a key is never used a second time. Returns what went.
 */
export async function deleteBytes(run: Run): Promise<{ objects: number; bytes: number }> {
  const { db, store } = run.app;
  const freed = { objects: 0, bytes: 0 };
  for (;;) {
    run.signal.throwIfAborted();
    const { rows } = await db.query<{ id: number; key: string; size_bytes: number }>(
      `SELECT id, key, size_bytes FROM stored_object WHERE state = 'deleting' ORDER BY id LIMIT ${KEYS_PER_BATCH}`,
    );
    if (rows.length === 0) return freed;
    await store.delete(rows.map(({ key }) => key));
    await failpoint('reclaim.bytes-deleted');
    const gone = await db.query<{ size_bytes: number }>(
      `DELETE FROM stored_object WHERE id = ANY($1::bigint[]) AND state = 'deleting' RETURNING size_bytes`,
      [rows.map(({ id }) => id)],
    );
    freed.objects += gone.rowCount ?? 0;
    for (const row of gone.rows) freed.bytes += row.size_bytes;
  }
}
