import { z } from 'zod';
import type { Sha256 } from '#lib/base/ids.ts';
import { requireRead } from '#lib/repos/access.ts';
import { linkStored } from '#lib/repos/files/link-stored.ts';
import { preflight } from '#lib/repos/files/preflight.ts';
import { API_REPO, isTrue, repoRefOf } from '../hf/repo-params.ts';
import { sendJson } from '../respond.ts';
import { type Route, route } from '../route.ts';

/** Room for 5,000 paths of 1,024 bytes and as many samples. */
const MAX_BODY_BYTES = 16 * 1_048_576;
const MAX_FILES = 5_000;

const sizeBytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const preflightBody = z.object({
  revision: z.string().min(1).max(1024).default('HEAD'),
  createPr: z.boolean().default(false),
  files: z
    .array(
      z.object({
        path: z.string().max(4096),
        sizeBytes,
        sha256: z.string().max(64).optional(),
        sample: z
          .string()
          .max(1024)
          .transform((text) => Buffer.from(text, 'base64'))
          .optional(),
      }),
    )
    .max(MAX_FILES),
});

const before = route(
  'POST',
  `${API_REPO}/upload-preflight`,
  { operation: 'repo.uploadPreflight', access: 'repo.write', scope: 'read' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref); // before the body is judged
    sendJson(res, 200, await preflight(ctx, ref, await req.json(preflightBody, MAX_BODY_BYTES)));
  },
);

const linksBody = z.object({
  files: z
    .array(
      z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not 64 lower-case hex digits'), sizeBytes }),
    )
    .max(MAX_FILES),
});

const links = route(
  'POST',
  `${API_REPO}/upload-links`,
  { operation: 'repo.uploadLinks', access: 'repo.write' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref); // before the body is judged
    const { files } = await req.json(linksBody, MAX_BODY_BYTES);
    const wanted = files.map((file) => ({ ...file, sha256: file.sha256 as Sha256 }));
    sendJson(res, 200, await linkStored(ctx, ref, wanted, isTrue(req.query.get('create_pr'))));
  },
);

/** What the upload page asks before it sends bytes, and how it spares itself sending those that are here. */
export const uploadRoutes: Route[] = [before, links];
