import { transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import type { Swept } from './sweep-objects.ts';

const ROWS_PER_BATCH = 5000;

/**
 * What hangs on a repo, in the order in which it goes: edges first, so that bytes are free soon. The row itself stays:
 * it keeps the id that audit events and old addresses name.
 */
const TABLES = [
  { table: 'repo_file', key: 'repo_id, sha256' },
  { table: 'repo_storage', key: 'repo_id' },
  { table: 'storage_report', key: 'repo_id' },
  { table: 'ref', key: 'repo_id, name' },
  { table: 'git_object', key: 'repo_id, oid', bytes: 'octet_length(data)' },
  { table: 'commit_index', key: 'repo_id, oid' },
  { table: 'path_change', key: 'repo_id, path_key, generation, oid' },
  { table: 'ref_update', key: 'id' },
  { table: 'lfs_lock', key: 'id' },
  { table: 'protected_branch', key: 'repo_id, pattern' },
  { table: 'repo_redirect', key: 'type, namespace_id, name_key' },
  { table: 'repo_facts', key: 'repo_id' },
  { table: 'download_day', key: 'repo_id, day' },
] as const;

async function deleteBatch(
  app: Pick<App, 'db'>,
  repoId: RepoId,
  { table, key, ...more }: (typeof TABLES)[number],
): Promise<{ rows: number; bytes: number }> {
  const bytes = 'bytes' in more ? more.bytes : '0';
  return transaction(app.db, async (tx) => {
    const { rows } = await tx.query<{ count: number; bytes: number }>(
      `WITH gone AS (
         DELETE FROM ${table} WHERE repo_id = $1 AND (${key}) IN (
           SELECT ${key} FROM ${table} WHERE repo_id = $1 LIMIT ${ROWS_PER_BATCH} FOR UPDATE SKIP LOCKED)
         RETURNING ${bytes} AS bytes)
       SELECT count(*)::int4 AS count, coalesce(sum(bytes), 0)::bigint AS bytes FROM gone`,
      [repoId],
    );
    return { rows: rows[0]?.count ?? 0, bytes: rows[0]?.bytes ?? 0 };
  });
}

/**
 * Takes what hangs on a deleted repo, in batches; its discussions too. Does nothing to a repo that is not deleted. May
 * be killed anywhere and run twice at once; what somebody who was writing still adds goes with the next run. Files that
 * other repos hold stay theirs.
 */
export async function purgeRepo(
  app: Pick<App, 'db'>,
  repoId: RepoId,
  swept: Swept & { edges: number } = { objects: 0, bytes: 0, edges: 0 },
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const { rows } = await app.db.query('SELECT 1 FROM repo WHERE id = $1 AND deleted_at IS NOT NULL', [
    repoId,
  ]);
  if (rows.length === 0) return;
  for (const step of TABLES)
    for (;;) {
      signal.throwIfAborted();
      const { rows: count, bytes } = await deleteBatch(app, repoId, step);
      if (step.table === 'git_object') {
        swept.objects += count;
        swept.bytes += bytes;
      }
      if (step.table === 'repo_file') swept.edges += count;
      if (count > 0) await failpoint('reclaim.purging');
      if (count === 0) break;
    }
  await transaction(app.db, async (tx) => {
    await tx.query(
      `DELETE FROM discussion_edit WHERE event_id IN (SELECT id FROM discussion_event WHERE repo_id = $1)`,
      [repoId],
    );
    for (const table of ['discussion_event', 'discussion', 'discussion_board'])
      await tx.query(`DELETE FROM ${table} WHERE repo_id = $1`, [repoId]);
  });
}

/** Deleted repos that something still hangs on. Plan: one probe of three indexes per tombstone. */
export async function listUnpurged(app: Pick<App, 'db'>): Promise<RepoId[]> {
  const { rows } = await app.db.query<{ id: RepoId }>(
    `SELECT id FROM repo r WHERE deleted_at IS NOT NULL AND (
       EXISTS (SELECT 1 FROM repo_file e WHERE e.repo_id = r.id)
       OR EXISTS (SELECT 1 FROM git_object g WHERE g.repo_id = r.id)
       OR EXISTS (SELECT 1 FROM commit_index c WHERE c.repo_id = r.id)
       OR EXISTS (SELECT 1 FROM ref_update u WHERE u.repo_id = r.id))
     ORDER BY id`,
  );
  return rows.map(({ id }) => id);
}
