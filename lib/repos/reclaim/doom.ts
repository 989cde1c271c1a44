import { type Tx, transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { mayDeleteBytes } from '../files/deletion-hold.ts';
import { before, type Run } from './types.ts';

const IDS_PER_STEP = 50_000;
const ROWS_PER_BATCH = 1000;
/** The rows of a log's files are written with it, but perhaps by a program that is still being updated. */
const LOG_GRACE_MS = 3600_000;

/** Nothing but edges of repos leads to the stored object `o`. Whoever adds a table that names stored objects adds it here. */
export const NO_OTHER_USE = `NOT EXISTS (SELECT 1 FROM xorb x WHERE x.object_id = o.id)
  AND NOT EXISTS (SELECT 1 FROM xet_shard s WHERE s.object_id = o.id)`;

const UNUSED_OBJECT = `NOT EXISTS (SELECT 1 FROM repo_file e WHERE e.object_id = o.id) AND ${NO_OTHER_USE}`;

/** Not on its way out yet; what was lost in the store may go like what is there. */
const STAYS = `state NOT IN ('deleting', 'orphan', 'gone')`;

const UNUSED_FILE = 'NOT EXISTS (SELECT 1 FROM repo_file e WHERE e.xet_file_id = f.id)';

/** Ranges of ids of a table, so that no statement touches more than 50,000 rows. */
async function* idRanges(run: Run, table: 'stored_object' | 'xet_file'): AsyncGenerator<[number, number]> {
  const { rows } = await run.app.db.query<{ top: number | null }>(`SELECT max(id) AS top FROM ${table}`);
  for (let from = 0; from < (rows[0]?.top ?? 0); from += IDS_PER_STEP) {
    run.signal.throwIfAborted();
    yield [from, from + IDS_PER_STEP];
  }
}

/**
 * First phase: notes on every Xet file that no repo holds since when that is so. A note is only a note: who leads there
 * again takes it off, and before anything is deleted it is looked at again under a lock. Running it twice changes
 * nothing.
 */
export async function doomFiles(run: Run): Promise<void> {
  for await (const range of idRanges(run, 'xet_file'))
    await run.app.db.query(
      `UPDATE xet_file SET doomed_at = $3 WHERE id IN (
         SELECT id FROM xet_file f WHERE id > $1 AND id <= $2 AND doomed_at IS NULL AND ${UNUSED_FILE}
         ORDER BY id FOR UPDATE SKIP LOCKED)`,
      [...range, run.at],
    );
}

/** The same for stored objects that nothing leads to. */
export async function doomObjects(run: Run): Promise<void> {
  for await (const range of idRanges(run, 'stored_object'))
    await run.app.db.query(
      `UPDATE stored_object SET doomed_at = $3 WHERE id IN (
         SELECT id FROM stored_object o WHERE id > $1 AND id <= $2 AND ${STAYS} AND doomed_at IS NULL
           AND created_at <= $4 AND ${UNUSED_OBJECT}
         ORDER BY id FOR UPDATE SKIP LOCKED)`,
      [...range, run.at, before(run, run.graceMs)],
    );
  await failpoint('reclaim.doomed');
}

/** Runs `step` in transactions of their own until it finds nothing more. */
async function inBatches(run: Run, step: (tx: Tx) => Promise<number>): Promise<void> {
  for (let found = 1; found > 0; ) {
    run.signal.throwIfAborted();
    found = await transaction(run.app.db, step);
    await failpoint('reclaim.between-batches');
  }
}

/**
 * Deletes Xet files that have been doomed for long enough, with their edges to xorbs. A row is locked, then looked at
 * again in a new statement: a registration or a copy that holds or has made an edge is seen, one that comes later finds
 * no row and writes its own.
 */
export async function deleteDoomedFiles(run: Run): Promise<void> {
  await inBatches(run, async (tx) => {
    const { rows } = await tx.query<{ id: number }>(
      `SELECT id FROM xet_file WHERE doomed_at <= $1 ORDER BY id LIMIT ${ROWS_PER_BATCH} FOR UPDATE SKIP LOCKED`,
      [before(run, run.doomMs)],
    );
    const ids = rows.map(({ id }) => id);
    await failpoint('reclaim.files-locked');
    await tx.query(
      `DELETE FROM xet_file_xorb WHERE file_id IN (SELECT id FROM xet_file f WHERE id = ANY($1::bigint[]) AND ${UNUSED_FILE})`,
      [ids],
    );
    await tx.query(`DELETE FROM xet_file f WHERE id = ANY($1::bigint[]) AND ${UNUSED_FILE}`, [ids]);
    await tx.query('UPDATE xet_file SET doomed_at = NULL WHERE id = ANY($1::bigint[])', [ids]);
    return ids.length;
  });
}

/** Forgets logs of registered files (see shard-log.ts) none of whose files is there any more; their objects are doomed then. */
export async function deleteEmptyLogs(run: Run): Promise<void> {
  await run.app.db.query(
    `DELETE FROM xet_shard WHERE id IN (
       SELECT id FROM xet_shard s WHERE created_at <= $1
         AND NOT EXISTS (SELECT 1 FROM xet_shard_file f WHERE f.shard_id = s.id) FOR UPDATE SKIP LOCKED)`,
    [before(run, Math.min(run.graceMs, LOG_GRACE_MS))],
  );
}

/**
 * Lets doomed stored objects go: from COMMIT on they are `deleting`, and nobody can be led to them. Not while a backup
 * copies objects: then they go the next time.
 */
export async function releaseDoomedObjects(run: Run): Promise<void> {
  await inBatches(run, async (tx) => {
    if (!(await mayDeleteBytes(tx))) return run.heldByBackup();
    const { rows } = await tx.query<{ id: number }>(
      `SELECT id FROM stored_object WHERE doomed_at <= $1 AND ${STAYS}
       ORDER BY id LIMIT ${ROWS_PER_BATCH} FOR UPDATE SKIP LOCKED`,
      [before(run, run.doomMs)],
    );
    const ids = rows.map(({ id }) => id);
    await failpoint('reclaim.objects-locked');
    await tx.query(
      `UPDATE stored_object o SET state = 'deleting' WHERE id = ANY($1::bigint[]) AND ${UNUSED_OBJECT}`,
      [ids],
    );
    await tx.query(`UPDATE stored_object SET doomed_at = NULL WHERE id = ANY($1::bigint[]) AND ${STAYS}`, [
      ids,
    ]);
    return ids.length;
  });
}
