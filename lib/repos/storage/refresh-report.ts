import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { selectRepoById } from '../db.ts';
import type { Repo } from '../types.ts';
import { computeReport } from './compute-report.ts';
import type { StorageReport } from './types.ts';

/** A report with when it was computed and how long that took. */
export interface ComputedReport {
  readonly report: StorageReport;
  readonly computedAt: Date;
  readonly tookMs: number;
}

/** Computes a repo's report and keeps it for later readers. */
export async function refreshReport(app: Pick<App, 'db' | 'clock'>, repo: Repo): Promise<ComputedReport> {
  const startMs = app.clock.now();
  const report = await computeReport(app, repo);
  const computedAt = new Date(startMs); // changes made while it was computed make it stale
  const tookMs = Math.max(0, app.clock.now() - startMs);
  await app.db.query(
    `INSERT INTO storage_report (repo_id, report, computed_at, took_ms) VALUES ($1, $2, $3, $4)
     ON CONFLICT (repo_id) DO UPDATE
       SET report = EXCLUDED.report, computed_at = EXCLUDED.computed_at, took_ms = EXCLUDED.took_ms
     WHERE storage_report.computed_at <= EXCLUDED.computed_at`,
    [repo.id, JSON.stringify(report), computedAt, tookMs],
  );
  return { report, computedAt, tookMs };
}

/** Handler of storageReportWanted. A repo that is gone needs none. */
export async function refreshReportOf(app: Pick<App, 'db' | 'clock'>, repoId: RepoId): Promise<void> {
  const repo = await selectRepoById(app.db, repoId);
  if (repo !== null) await refreshReport(app, repo);
}
