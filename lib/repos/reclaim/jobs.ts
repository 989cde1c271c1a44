import { z } from 'zod';
import { defineJob } from '#lib/jobs/define.ts';

/** A run of garbage collection: every night with an empty payload, or as an administrator asked for it. */
export const reclaimJob = defineJob({
  name: 'reclaim',
  schema: z.object({
    cause: z.enum(['schedule', 'page']).default('schedule'),
    userId: z.string().nullable().default(null),
    isDry: z.boolean().default(false),
    isForced: z.boolean().default(false),
  }),
  retryLimit: 2,
  expireSeconds: 12 * 3600,
});
