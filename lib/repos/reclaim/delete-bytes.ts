import { failpoint } from '#lib/base/failpoint.ts';
import { before, type Run } from './types.ts';

const KEYS_PER_BATCH = 500;
/** No upload is under way for so long. */
const REFUSED_FOR_MS = 30 * 24 * 3600_000;

/**
 * Deletes the bytes of objects that are `deleting`, then their rows. Killed between the two, the next run deletes them
 * again, which the store does not mind: a key is never used a second time. The row of an orphan stays for a month,
 * without bytes: an upload that is still on its way to name that key must meet it. Returns what went.
 */
export async function deleteBytes(run: Run): Promise<{ objects: number; bytes: number }> {
  const { db, store } = run.app;
  const freed = { objects: 0, bytes: 0 };
  for (;;) {
    run.signal.throwIfAborted();
    const { rows } = await db.query<{ id: number; key: string; size_bytes: number }>(
      `SELECT id, key, size_bytes FROM stored_object WHERE state IN ('deleting', 'orphan') ORDER BY id LIMIT ${KEYS_PER_BATCH}`,
    );
    if (rows.length === 0) break;
    await store.delete(rows.map(({ key }) => key));
    await failpoint('reclaim.bytes-deleted');
    const ids = rows.map(({ id }) => id);
    const gone = await db.query<{ size_bytes: number }>(
      `DELETE FROM stored_object WHERE id = ANY($1::bigint[]) AND state = 'deleting' RETURNING size_bytes`,
      [ids],
    );
    const orphans = await db.query<{ size_bytes: number }>(
      `UPDATE stored_object n SET state = 'gone', size_bytes = 0 FROM stored_object o
       WHERE o.id = n.id AND n.id = ANY($1::bigint[]) AND n.state = 'orphan' RETURNING o.size_bytes`,
      [ids],
    );
    for (const row of [...gone.rows, ...orphans.rows]) {
      freed.objects += 1;
      freed.bytes += row.size_bytes;
    }
  }
  await db.query(`DELETE FROM stored_object WHERE state = 'gone' AND doomed_at < $1`, [
    before(run, REFUSED_FOR_MS),
  ]);
  return freed;
}
