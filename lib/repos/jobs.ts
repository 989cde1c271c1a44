import { z } from 'zod';
import { defineJob } from '#lib/jobs/define.ts';

/**
 * A ref of the repo has moved. Keyed by the repo: several pushes may become one job, so a handler looks at what
 * the repo is now, not at what the job says.
 */
export const repoPushed = defineJob({
  name: 'repo-pushed',
  schema: z.object({ repoId: z.number().int().positive() }),
});

/** Commits have come whose changed paths are not written down yet. Keyed by the repo. */
export const indexPathsJob = defineJob({
  name: 'index-paths',
  schema: z.object({ repoId: z.number().int().positive() }),
  expireSeconds: 3600,
});

/** The repo has been deleted: its tombstone stands, what hangs on it may go. */
export const repoDeleted = defineJob({
  name: 'repo-deleted',
  schema: z.object({ repoId: z.number().int().positive() }),
});
