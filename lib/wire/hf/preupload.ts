import { z } from 'zod';
import type { Ctx } from '#lib/identity/context.ts';
import { preupload as decideUploads } from '#lib/repos/preupload.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { API_REPO, isTrue, repoRefOf } from './repo-params.ts';
import { roomHeaders } from './room-headers.ts';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const preuploadBody = z.object({
  files: z
    .array(
      z.object({
        path: z.string(),
        size: z.number().int().min(0),
        sample: z.string().max(8192).default(''),
      }),
    )
    .max(1000),
  gitIgnore: z.string().max(1_000_000).nullish(),
  gitAttributes: z.string().max(1_000_000).nullish(),
});

/** How each file of a coming commit must be sent: inline or as a large file, or not at all. */
export const preupload: Route = route(
  'POST',
  `${API_REPO}/preupload/*rest`,
  { operation: 'repo.preupload', access: 'repo.write' },
  sendPreupload,
);

async function sendPreupload(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const ref = repoRefOf(req);
  const body = await req.json(preuploadBody, MAX_BODY_BYTES);
  const revision = req.decodedParam('rest');
  const { commitOid, files, room } = await decideUploads(ctx, ref, revision, {
    files: body.files.map(({ path, size, sample }) => ({
      path,
      sizeBytes: size,
      sample: Buffer.from(sample, 'base64'),
    })),
    opensPull: isTrue(req.query.get('create_pr')),
    ...(body.gitIgnore ? { gitIgnore: body.gitIgnore } : {}),
    ...(body.gitAttributes ? { gitAttributes: body.gitAttributes } : {}),
  });
  sendJson(res, 200, { files, commitOid }, roomHeaders(room));
}
