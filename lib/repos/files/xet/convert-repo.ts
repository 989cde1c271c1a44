import { transaction } from '#lib/base/db.ts';
import { bytesOf, hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App, Ctx } from '#lib/identity/context.ts';
import { requireAdmin } from '../../access.ts';
import type { RepoRef } from '../../types.ts';
import { convertFile, type WholeFile } from './convert-file.ts';
import { MIN_CONVERTED_BYTES } from './convert-limits.ts';
import { convertRepoWanted } from './jobs.ts';

const REPOS_AT_ONCE = 200;

/** The next whole file of a repo after this hash that is worth converting. Plan: the repo's range of repo_file_pkey. */
async function nextWhole(
  app: Pick<App, 'db'>,
  repoId: RepoId,
  after: Sha256 | null,
): Promise<WholeFile | null> {
  const { rows } = await app.db.query<{
    sha256: Buffer;
    size_bytes: number;
    id: number;
    key: string;
    namespace_id: string;
    created_by: string;
  }>(
    `SELECT e.sha256, e.size_bytes, o.id, o.key, r.namespace_id, e.created_by
     FROM repo_file e JOIN stored_object o ON o.id = e.object_id AND o.state = 'live'
     JOIN repo r ON r.id = e.repo_id AND r.deleted_at IS NULL
     WHERE e.repo_id = $1 AND e.sha256 > $2 AND e.xet_file_id IS NULL AND e.size_bytes >= $3
     ORDER BY e.sha256 LIMIT 1`,
    [repoId, after === null ? Buffer.alloc(0) : bytesOf(after), MIN_CONVERTED_BYTES],
  );
  const row = rows[0];
  return row === undefined
    ? null
    : {
        repoId,
        namespaceId: row.namespace_id,
        sha256: hexOf<Sha256>(row.sha256),
        sizeBytes: row.size_bytes,
        objectId: row.id,
        objectKey: row.key,
        userId: row.created_by,
      };
}

/**
 * Handler of convertRepoWanted: converts the whole files of a repo one after the other. A file that cannot be converted
 * is logged and left whole; the others go on. Stops between files when `signal` aborts, to be continued by the next try.
 * Returns how many were converted.
 */
export async function convertRepo(app: App, repoId: RepoId, signal: AbortSignal): Promise<number> {
  let converted = 0;
  let file = await nextWhole(app, repoId, null);
  for (; file !== null; file = await nextWhole(app, repoId, file.sha256)) {
    signal.throwIfAborted();
    const { sha256 } = file;
    const isDone = await convertFile(app, file, signal).catch((error) => {
      signal.throwIfAborted();
      app.log.error({ err: error, repoId, sha256 }, 'a file could not be converted to chunks');
      return false;
    });
    if (isDone) converted += 1;
  }
  return converted;
}

/**
 * Asks for the conversion of a repo's whole files; a worker does it. Asking again while it waits changes nothing. Throws
 * repo_not_found, forbidden.
 */
export async function requestConversion(ctx: Ctx, ref: RepoRef): Promise<void> {
  const repo = await requireAdmin(ctx, ref);
  await transaction(ctx.db, (tx) =>
    ctx.queue.enqueue(tx, convertRepoWanted, { repoId: repo.id }, { key: String(repo.id) }),
  );
}

/** Handler of convertAllJob: asks for the conversion of up to 200 repos with whole files, unless it is switched off. */
export async function requestAllConversions(app: Pick<App, 'db' | 'queue' | 'config'>): Promise<void> {
  if (!app.config.LARDER_CONVERT_LFS) return;
  const { rows } = await app.db.query<{ repo_id: number }>(
    `SELECT DISTINCT e.repo_id FROM repo_file e JOIN repo r ON r.id = e.repo_id AND r.deleted_at IS NULL
     WHERE e.object_id IS NOT NULL AND e.xet_file_id IS NULL AND e.size_bytes >= $1
     ORDER BY e.repo_id LIMIT $2`,
    [MIN_CONVERTED_BYTES, REPOS_AT_ONCE],
  );
  await transaction(app.db, async (tx) => {
    for (const { repo_id: repoId } of rows)
      await app.queue.enqueue(tx, convertRepoWanted, { repoId }, { key: String(repoId) });
  });
}
