import { z } from 'zod';
import { defineJob } from '#lib/jobs/define.ts';

/** Ends uploads whose links have expired; runs on a schedule. */
export const sweepUploadsJob = defineJob({ name: 'lfs.sweep-uploads', schema: z.object({}) });
