import { z } from 'zod';
import { defineJob } from '#lib/jobs/define.ts';

/** The picture of a repo's storage is wanted and takes too long for a request. Keyed by the repo. Handler: refreshReport. */
export const storageReportWanted = defineJob({
  name: 'storage.report-wanted',
  schema: z.object({ repoId: z.number().int().positive() }),
  expireSeconds: 3600,
});
