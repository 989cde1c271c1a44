import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';

/** Says that what is stored of these repos has changed although they hold the same files: the next reader computes anew. */
export async function outdateReports(tx: Queryable, repoIds: readonly RepoId[]): Promise<void> {
  await tx.query(
    `UPDATE storage_report SET computed_at = to_timestamp(0) WHERE repo_id = ANY($1::bigint[])`,
    [repoIds],
  );
}
