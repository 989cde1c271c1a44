import type { Tx } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';

/** Inside the caller's transaction: from its end on the repo takes no discussions, pull requests and comments, or does again. */
export async function disableDiscussions(tx: Tx, repoId: RepoId, isDisabled: boolean): Promise<void> {
  await tx.query(
    `INSERT INTO discussion_board (repo_id, is_disabled) VALUES ($1, $2)
     ON CONFLICT (repo_id) DO UPDATE SET is_disabled = EXCLUDED.is_disabled`,
    [repoId, isDisabled],
  );
}
