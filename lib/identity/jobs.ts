import { z } from 'zod';
import { defineJob } from '#lib/jobs/define.ts';

/** Removes sessions and counters that can matter to nobody any more; runs on a schedule. */
export const sweepSessionsJob = defineJob({ name: 'identity.sweep-sessions', schema: z.object({}) });
