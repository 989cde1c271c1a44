import type { Queryable } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';

/**
 * Throws busy when the object of this key was taken for an orphan: garbage collection found it in the store while no
 * row named it yet, and its row came first. Plan: stored_object_key_key.
 */
export async function refuseDeleting(tx: Queryable, key: string): Promise<void> {
  const { rows } = await tx.query(
    "SELECT 1 FROM stored_object WHERE key = $1 AND state IN ('deleting', 'orphan', 'gone')",
    [key],
  );
  if (rows.length > 0)
    throw hubError('busy', 'The upload took so long that its bytes were taken for abandoned: upload again');
}
