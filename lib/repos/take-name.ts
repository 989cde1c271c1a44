import type { Queryable } from '#lib/base/db.ts';
import type { RepoType } from './types.ts';

/**
 * Inside the caller's transaction, before a repo gets this address: whatever moved away from it is no longer found
 * there, not even when the new repo is gone one day.
 */
export async function takeName(
  tx: Queryable,
  type: RepoType,
  namespaceId: string,
  name: string,
): Promise<void> {
  await tx.query('DELETE FROM repo_redirect WHERE type = $1 AND namespace_id = $2 AND name_key = lower($3)', [
    type,
    namespaceId,
    name,
  ]);
}
