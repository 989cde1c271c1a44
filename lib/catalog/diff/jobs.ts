import { z } from 'zod';
import { defineJob } from '#lib/jobs/define.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Hashes the tensors of a weights file that this repo holds. Keyed by the file. Handler: computeDigest. */
export const tensorDigestWanted = defineJob({
  name: 'tensors.digest',
  schema: z.object({ repoId: z.number().int().positive(), sha256 }),
  expireSeconds: 6 * 3600,
});

/** Measures how far the changed tensors of two files are apart. Keyed by both files. Handler: computeDeltas. */
export const tensorDeltasWanted = defineJob({
  name: 'tensors.deltas',
  schema: z.object({ repoId: z.number().int().positive(), before: sha256, after: sha256 }),
  expireSeconds: 3600,
});
