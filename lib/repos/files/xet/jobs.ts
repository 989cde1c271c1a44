import { z } from 'zod';
import { defineJob } from '#lib/jobs/define.ts';

/** Recomputes the SHA-256 of a Xet file that was too large to be verified while its upload waited. Handler: verifyXetFile. */
export const xetFileRegistered = defineJob({
  name: 'xet.file-registered',
  schema: z.object({ fileId: z.number().int() }),
  expireSeconds: 6 * 3600,
});
