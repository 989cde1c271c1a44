import type { Queryable } from '#lib/base/db.ts';

/** One number for all hubs of a database: locks of other purposes are made from text hashes. */
const LOCK = 7_041_776_002;

/**
 * On a connection of the caller's own: from now until the connection ends, nothing that the database names at this
 * moment loses its bytes (see mayDeleteBytes). False when somebody else holds deletions already: one backup at a time.
 * A holder that dies lets go by itself.
 */
export async function holdDeletions(connection: Queryable): Promise<boolean> {
  const { rows } = await connection.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
    LOCK,
  ]);
  return rows[0]?.held === true;
}

/**
 * Inside the transaction that takes objects out of use, so that their bytes may be deleted after it: false while a
 * backup copies them; then the transaction must change nothing and the work is done another time. Holds off new
 * backups until the transaction ends, so that none can begin with a picture that is about to lose its bytes.
 */
export async function mayDeleteBytes(tx: Queryable): Promise<boolean> {
  const { rows } = await tx.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock_shared($1) AS free', [
    LOCK,
  ]);
  return rows[0]?.free === true;
}
