import { z } from 'zod';
import { defineJob } from '#lib/jobs/define.ts';

/** The whole files of a repo are to be cut into chunks. Keyed by the repo. Handler: convertRepo. */
export const convertRepoWanted = defineJob({
  name: 'xet.convert-repo',
  schema: z.object({ repoId: z.number().int().positive() }),
  expireSeconds: 12 * 3600,
});

/** Looks for whole files everywhere, when LARDER_CONVERT_LFS is on; runs on a schedule. */
export const convertAllJob = defineJob({ name: 'xet.convert-all', schema: z.object({}) });

/** Recomputes the SHA-256 of a Xet file that was too large to be verified while its upload waited. Handler: verifyXetFile. */
export const xetFileRegistered = defineJob({
  name: 'xet.file-registered',
  schema: z.object({ fileId: z.number().int() }),
  expireSeconds: 6 * 3600,
});

/**
 * Files came by a client that could not know all that was stored, or while others brought the same: their chunks may be
 * stored twice. Handler: shareChunks.
 */
export const chunksUploaded = defineJob({
  name: 'xet.chunks-uploaded',
  schema: z.object({ fileIds: z.array(z.number().int()) }),
  expireSeconds: 3600,
});
