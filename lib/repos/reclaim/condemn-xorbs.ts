import { transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { mayDeleteBytes } from '../files/deletion-hold.ts';
import { before, type Run } from './types.ts';

const XORBS_PER_BATCH = 500;

const UNUSED_XORB = 'NOT EXISTS (SELECT 1 FROM xet_file_xorb f WHERE f.xorb_id = x.id)';

/**
 * Makes clients forget every xorb that they have uploaded, and drops the pins that were there for their memory: the
 * address of each domain changes, and with it the key of their caches. What is under way with the old address is
 * refused and begun anew by the client.
 */
export async function dropPins(run: Run): Promise<void> {
  await transaction(run.app.db, async (tx) => {
    await tx.query('UPDATE xet_domain SET epoch = epoch % 2000000000 + 1');
    await tx.query(
      `UPDATE xorb x SET pinned_until = $1 WHERE pinned_until > $1 AND state <> 'condemned' AND ${UNUSED_XORB}`,
      [run.at],
    );
  });
}

/**
 * Condemns xorbs that no file uses and no client may still count on. Their answers to "is this chunk stored?" go in the
 * same transaction: a stale one would lose data. A registration locks the xorbs it names and needs them live, so it
 * is either seen here or refused there; an upload of the same xorb brings it back to life.
 */
export async function condemnXorbs(run: Run): Promise<void> {
  for (let last = 0; ; ) {
    run.signal.throwIfAborted();
    const found = await transaction(run.app.db, async (tx) => {
      const { rows } = await tx.query<{ id: number }>(
        `SELECT id FROM xorb x WHERE id > $1 AND state <> 'condemned' AND pinned_until <= $2 AND created_at <= $3
           AND ${UNUSED_XORB} ORDER BY id LIMIT ${XORBS_PER_BATCH} FOR UPDATE SKIP LOCKED`,
        [last, run.at, before(run, run.graceMs)],
      );
      const condemned = await tx.query<{ id: number }>(
        `UPDATE xorb x SET state = 'condemned', condemned_at = $2
         WHERE id = ANY($1::bigint[]) AND pinned_until <= $2 AND ${UNUSED_XORB} RETURNING id`,
        [rows.map(({ id }) => id), run.at],
      );
      const ids = condemned.rows.map(({ id }) => id);
      await tx.query('DELETE FROM chunk_index WHERE xorb_id = ANY($1::bigint[])', [ids]);
      await failpoint('reclaim.condemned');
      return rows;
    });
    const end = found.at(-1);
    if (end === undefined) return;
    last = end.id;
  }
}

/**
 * Deletes the rows of xorbs that were condemned longer ago than any link to them lives; their objects become `deleting`.
 * Not while a backup copies objects.
 */
export async function releaseCondemned(run: Run): Promise<void> {
  for (let last = 0; ; ) {
    run.signal.throwIfAborted();
    const found = await transaction(run.app.db, async (tx) => {
      if (!(await mayDeleteBytes(tx))) {
        run.heldByBackup();
        return [];
      }
      const { rows } = await tx.query<{ id: number }>(
        `SELECT id FROM xorb WHERE id > $1 AND state = 'condemned' AND condemned_at <= $2
         ORDER BY id LIMIT ${XORBS_PER_BATCH} FOR UPDATE SKIP LOCKED`,
        [last, before(run, run.linkMs)],
      );
      const ids = rows.map(({ id }) => id);
      await tx.query('DELETE FROM chunk_index WHERE xorb_id = ANY($1::bigint[])', [ids]);
      const gone = await tx.query<{ object_id: number }>(
        `DELETE FROM xorb x WHERE id = ANY($1::bigint[]) AND ${UNUSED_XORB} RETURNING object_id`,
        [ids],
      );
      await tx.query(`UPDATE stored_object SET state = 'deleting' WHERE id = ANY($1::bigint[])`, [
        gone.rows.map((row) => row.object_id),
      ]);
      await failpoint('reclaim.xorbs-released');
      return rows;
    });
    const end = found.at(-1);
    if (end === undefined) return;
    last = end.id;
  }
}
