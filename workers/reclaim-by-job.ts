import type { z } from 'zod';
import { pinnedCommits } from '#lib/endpoints/pinned-commits.ts';
import type { App } from '#lib/identity/context.ts';
import type { reclaimJob } from '#lib/repos/reclaim/jobs.ts';
import { reclaim } from '#lib/repos/reclaim/reclaim.ts';

/** Handler of reclaimJob. The nightly run does nothing where LARDER_GC is off; what an administrator asks for is done. */
export async function reclaimByJob(
  app: App,
  { cause, userId, isDry, isForced }: z.infer<typeof reclaimJob.schema>,
  signal: AbortSignal,
): Promise<void> {
  if (cause === 'schedule' && !app.config.LARDER_GC) return;
  const options = { cause, userId, isDry, isForced, signal };
  const { state, result, message } = await reclaim(app, { pinned: pinnedCommits }, options);
  app.log.info(
    { state, message, freedBytes: result?.freedBytes, freedGitObjects: result?.freedGitObjects },
    'garbage collection',
  );
}
