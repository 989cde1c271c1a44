import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { quotaExceeded, type Room, readRoom } from './require-room.ts';

/** Which of these sizes a large file of the repo has. Plan: the repo's range of repo_file_pkey. */
async function heldSizes(db: Queryable, repoId: RepoId, sizes: readonly number[]): Promise<Set<number>> {
  const { rows } = await db.query<{ size_bytes: number }>(
    'SELECT DISTINCT size_bytes FROM repo_file WHERE repo_id = $1 AND size_bytes = ANY($2::bigint[])',
    [repoId, sizes],
  );
  return new Set(rows.map((row) => row.size_bytes));
}

/**
 * Before an upload of files whose hashes are not known yet: throws quota_exceeded only when they cannot fit whatever
 * they hold. A file as large as one that the repo has may be that one, and two of one size may be the same: both may
 * need no room. Returns the tightest limit. Costs one query where there is none.
 */
export async function requireRoomFor(
  app: Pick<App, 'db' | 'config'>,
  repoId: RepoId,
  sizes: readonly number[],
): Promise<Room | null> {
  const room = await readRoom(app, repoId);
  if (room === null || sizes.length === 0) return room;
  const distinct = [...new Set(sizes)];
  const held = await heldSizes(app.db, repoId, distinct);
  const moreBytes = distinct.reduce((sum, bytes) => sum + (held.has(bytes) ? 0 : bytes), 0);
  if (moreBytes > 0 && room.usedBytes + moreBytes > room.limitBytes) throw quotaExceeded(room, moreBytes);
  return room;
}
