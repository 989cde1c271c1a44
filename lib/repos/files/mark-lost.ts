import { type Tx, transaction } from '#lib/base/db.ts';
import type { App } from '#lib/identity/context.ts';
import { xetFileRegistered } from './xet/jobs.ts';

/** What a look at the bytes of an object found. */
export type Damage = 'missing' | 'size' | 'hash';

/** Every process remembers edges by the version of their rows: a new version makes it ask again. */
const TOUCH = `UPDATE repo_file SET created_at = created_at
  WHERE object_id = ANY($1::bigint[]) OR xet_file_id = ANY($2::bigint[])`;

/**
 * Takes an object out of use whose bytes are gone or wrong, with what hangs on it: readers get an error that says so
 * (or the other form of the file, when there is one), nobody is told any more that the bytes are there, and whoever
 * uploads the same bytes again heals it. For a xorb the epoch of its domain is raised, so that clients forget that
 * they uploaded it. No byte is deleted. False when it was out of use already.
 */
export async function markLost(app: Pick<App, 'db'>, objectId: number, damage: Damage): Promise<boolean> {
  return transaction(app.db, async (tx) => {
    const marked = await tx.query(
      `UPDATE stored_object SET state = 'lost', damage = $2 WHERE id = $1 AND state = 'live'`,
      [objectId, damage],
    );
    if (marked.rowCount !== 1) return false;
    const xorbs = await tx.query<{ id: number; domain_id: number }>(
      `UPDATE xorb SET state = 'lost' WHERE object_id = $1 AND state = 'live' RETURNING id, domain_id`,
      [objectId],
    );
    const xorbIds = xorbs.rows.map((row) => row.id);
    await tx.query('DELETE FROM chunk_index WHERE xorb_id = ANY($1::bigint[])', [xorbIds]);
    await tx.query('UPDATE xet_domain SET epoch = epoch + 1 WHERE id = ANY($1::bigint[])', [
      xorbs.rows.map((row) => row.domain_id),
    ]);
    const files = await tx.query<{ id: number }>(
      `UPDATE xet_file SET sha256_state = 'lost' WHERE sha256_state IN ('verified', 'unverified')
         AND id IN (SELECT file_id FROM xet_file_xorb WHERE xorb_id = ANY($1::bigint[])) RETURNING id`,
      [xorbIds],
    );
    await tx.query('DELETE FROM xet_shard WHERE object_id = $1', [objectId]);
    await tx.query(TOUCH, [[objectId], files.rows.map((row) => row.id)]);
    return true;
  });
}

/**
 * Inside the caller's transaction, when xorbs came back to life: the files that were lost with them and have all of
 * theirs again may be read again, and their SHA-256 is recomputed by a job.
 */
export async function reviveFiles(
  tx: Tx,
  queue: App['queue'],
  domainId: number,
  xorbHash: Buffer,
): Promise<void> {
  const { rows } = await tx.query<{ id: number }>(
    `UPDATE xet_file x SET sha256_state = 'unverified' WHERE x.sha256_state = 'lost'
       AND x.id IN (SELECT f.file_id FROM xet_file_xorb f JOIN xorb b ON b.id = f.xorb_id
                    WHERE b.domain_id = $1 AND b.hash = $2)
       AND NOT EXISTS (SELECT FROM xet_file_xorb f JOIN xorb b ON b.id = f.xorb_id
                       WHERE f.file_id = x.id AND b.state <> 'live') RETURNING x.id`,
    [domainId, xorbHash],
  );
  const ids = rows.map((row) => row.id);
  for (const fileId of ids) await queue.enqueue(tx, xetFileRegistered, { fileId });
  if (ids.length > 0) await tx.query(TOUCH, [[], ids]);
}

/** Takes a lost object into use again, whose bytes the caller has found whole. False when it is not lost any more. */
export async function markFound(app: Pick<App, 'db' | 'queue'>, objectId: number): Promise<boolean> {
  return transaction(app.db, async (tx) => {
    const marked = await tx.query(
      `UPDATE stored_object SET state = 'live', damage = NULL WHERE id = $1 AND state = 'lost'`,
      [objectId],
    );
    if (marked.rowCount !== 1) return false;
    const { rows } = await tx.query<{ domain_id: number; hash: Buffer }>(
      `UPDATE xorb SET state = 'live' WHERE object_id = $1 AND state = 'lost' RETURNING domain_id, hash`,
      [objectId],
    );
    for (const xorb of rows) await reviveFiles(tx, app.queue, xorb.domain_id, xorb.hash);
    await tx.query(TOUCH, [[objectId], []]);
    return true;
  });
}
