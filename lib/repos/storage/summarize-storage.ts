import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';

/** What a repo's large files are and take, as far as it is known at once. */
export interface StorageSummary {
  readonly logicalBytes: number;
  /** As computed last; null when never, or when files have come or gone since. */
  readonly storedBytes: number | null;
}

/** The two figures of a repo's storage. The caller has checked the right to read. Plan: two primary keys. */
export async function summarizeStorage(
  app: Pick<App, 'db'>,
  repo: { readonly id: RepoId },
): Promise<StorageSummary> {
  const { rows } = await app.db.query<{ logical: number; stored: number | null }>({
    name: 'summarize-storage',
    text: `SELECT s.logical_bytes AS logical,
             CASE WHEN (p.report->>'logicalBytes')::bigint = s.logical_bytes
               THEN (p.report->>'storedBytes')::bigint END AS stored
           FROM repo_storage s LEFT JOIN storage_report p USING (repo_id) WHERE s.repo_id = $1`,
    values: [repo.id],
  });
  return { logicalBytes: rows[0]?.logical ?? 0, storedBytes: rows[0]?.stored ?? null };
}
