import { transaction } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { computeDeltas } from '#lib/catalog/diff/compute-deltas.ts';
import { computeDigest } from '#lib/catalog/diff/compute-digest.ts';
import { tensorDeltasWanted, tensorDigestWanted } from '#lib/catalog/diff/jobs.ts';
import { digestPushed } from '#lib/catalog/diff/want-digests.ts';
import { refreshFacts } from '#lib/catalog/refresh-facts.ts';
import { deleteEndpointsOfRepo } from '#lib/endpoints/delete-endpoints-of-repo.ts';
import type { App } from '#lib/identity/context.ts';
import { sweepSessionsJob } from '#lib/identity/jobs.ts';
import { sweepSessions } from '#lib/identity/sweep-sessions.ts';
import { handleJob, type JobHandler } from '#lib/jobs/run-jobs.ts';
import { sweepUploadsJob } from '#lib/repos/files/lfs/jobs.ts';
import { sweepUploads } from '#lib/repos/files/lfs/sweep-uploads.ts';
import { scrubJob, scrubObjects } from '#lib/repos/files/scrub-objects.ts';
import { sweepStore } from '#lib/repos/files/sweep-store.ts';
import { sweepTusUploads } from '#lib/repos/files/tus/sweep-tus-uploads.ts';
import { convertRepo, requestAllConversions } from '#lib/repos/files/xet/convert-repo.ts';
import {
  chunksUploaded,
  convertAllJob,
  convertRepoWanted,
  xetFileRegistered,
} from '#lib/repos/files/xet/jobs.ts';
import { shareChunks } from '#lib/repos/files/xet/share-chunks.ts';
import { verifyXetFile } from '#lib/repos/files/xet/verify-xet-file.ts';
import { indexPaths } from '#lib/repos/index-paths.ts';
import { indexPathsJob, repoDeleted, repoPushed } from '#lib/repos/jobs.ts';
import { reclaimJob } from '#lib/repos/reclaim/jobs.ts';
import { purgeRepo } from '#lib/repos/reclaim/purge-repo.ts';
import { storageReportWanted } from '#lib/repos/storage/jobs.ts';
import { refreshReportOf } from '#lib/repos/storage/refresh-report.ts';
import { reclaimByJob } from './reclaim-by-job.ts';

/** Every job of the hub and what is done for it. Each bears being run twice. */
export const jobHandlers: readonly JobHandler<App>[] = [
  handleJob(repoPushed, async (app: App, data, signal) => {
    await transaction(app.db, (tx) =>
      app.queue.enqueue(tx, indexPathsJob, data, { key: String(data.repoId) }),
    );
    await refreshFacts(app, data, signal);
    await digestPushed(app, data);
  }),
  handleJob(indexPathsJob, (app: App, data, signal) => indexPaths(app, data.repoId as RepoId, signal)),
  handleJob(tensorDigestWanted, (app: App, data, signal) => computeDigest(app, data, signal)),
  handleJob(tensorDeltasWanted, (app: App, data, signal) => computeDeltas(app, data, signal)),
  handleJob(repoDeleted, async (app: App, data, signal) => {
    await deleteEndpointsOfRepo(app, data.repoId as RepoId);
    await purgeRepo(app, data.repoId as RepoId, undefined, signal);
  }),
  handleJob(reclaimJob, reclaimByJob, { cron: '23 2 * * *' }),
  handleJob(xetFileRegistered, (app: App, data, signal) => verifyXetFile(app, data, signal)),
  handleJob(chunksUploaded, async (app: App, data, signal) => void (await shareChunks(app, data, signal))),
  handleJob(storageReportWanted, (app: App, data) => refreshReportOf(app, data.repoId as RepoId)),
  handleJob(
    convertRepoWanted,
    async (app: App, data, signal) => void (await convertRepo(app, data.repoId as RepoId, signal)),
  ),
  handleJob(convertAllJob, (app: App) => requestAllConversions(app), { cron: '29 * * * *' }),
  handleJob(
    sweepUploadsJob,
    async (app: App) => {
      await sweepUploads(app);
      await sweepTusUploads(app);
      await sweepStore(app);
    },
    { cron: '17 * * * *' },
  ),
  handleJob(scrubJob, async (app: App, _data, signal) => void (await scrubObjects(app, signal)), {
    cron: '*/10 * * * *',
  }),
  handleJob(sweepSessionsJob, async (app: App) => void (await sweepSessions(app)), { cron: '43 3 * * *' }),
];
