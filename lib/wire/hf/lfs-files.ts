import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import { parseSha256, parseXetHash } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { deleteLfsFiles } from '#lib/repos/delete-lfs-files.ts';
import { copyFiles } from '#lib/repos/files/copy-files.ts';
import { type LfsFile, listLfsFiles } from '#lib/repos/list-lfs-files.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { API_REPO, isTrue, repoRefOf } from './repo-params.ts';
import { pageLimit } from './tree.ts';
import { apiType, nextLink } from './urls.ts';

const MAX_PAGE = 1000;
const MAX_DELETIONS = 1000;
const MAX_COPIES = 500;
/** A history of tens of thousands of commits takes minutes to rewrite. */
const REWRITE_TIMEOUT_MS = 15 * 60_000;

const list = route(
  ['GET', 'HEAD'],
  `${API_REPO}/lfs-files`,
  { operation: 'repo.lfsFiles', access: 'repo.read' },
  sendList,
);

async function sendList(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const repo = await requireRead(ctx, repoRefOf(req));
  const cursor = req.query.get('cursor');
  const after = cursor ? parseSha256(cursor) : null;
  if (after === undefined) throw hubError('invalid_input', '"cursor" is not one that this listing gave');
  const limit = pageLimit(req.query.get('limit'), MAX_PAGE);
  const { files, next } = await listLfsFiles(ctx, repo, { limit, after });
  const address = `/api/${apiType(repo.type)}/${repo.namespace}/${repo.name}/lfs-files`;
  const headers = next ? { link: nextLink(ctx.publicUrl, address, req.query, { cursor: next }) } : {};
  sendJson(res, 200, files.map(serialize), headers);
}

function serialize(file: LfsFile): Record<string, unknown> {
  return {
    fileOid: file.fileOid,
    filename: file.filename,
    oid: file.sha256,
    pushedAt: file.pushedAt.toISOString(),
    size: file.sizeBytes,
    ...(file.ref && { ref: file.ref }),
    ...(file.pusher && { pusher: { name: file.pusher, type: 'user', avatarUrl: '' } }),
    ...(file.xetHash && { xetHash: file.xetHash }),
  };
}

const deletionsBody = z.object({
  deletions: z.object({
    sha: z.array(z.string().max(64)).max(MAX_DELETIONS),
    rewriteHistory: z.boolean().default(false),
  }),
});

const removeMany = route(
  'POST',
  `${API_REPO}/lfs-files/batch`,
  { operation: 'repo.deleteLfsFiles', access: 'repo.admin', timeoutMs: REWRITE_TIMEOUT_MS },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref); // before the body is judged
    const { sha, rewriteHistory } = (await req.json(deletionsBody)).deletions;
    await deleteLfsFiles(ctx, ref, sha, { rewriteHistory });
    sendJson(res, 200, { success: true });
  },
);

const removeOne = route(
  'DELETE',
  `${API_REPO}/lfs-files/:sha`,
  { operation: 'repo.deleteLfsFile', access: 'repo.admin', timeoutMs: REWRITE_TIMEOUT_MS },
  async (ctx, req, res) => {
    const rewriteHistory = isTrue(req.query.get('rewriteHistory'));
    await deleteLfsFiles(ctx, repoRefOf(req), [req.param('sha')], { rewriteHistory });
    sendJson(res, 200, { success: true });
  },
);

const duplicateBody = z.object({
  target: z.object({ type: z.enum(['model', 'dataset']), name: z.string() }),
  files: z
    .array(z.object({ sha256: z.string(), xetHash: z.string().nullish(), filename: z.string().nullish() }))
    .max(MAX_COPIES),
});

/** Lives on the source; the target is in the body. */
const duplicate = route(
  'POST',
  `${API_REPO}/lfs-files/duplicate`,
  { operation: 'repo.copyLfsFiles', access: 'repo.read', scope: 'write' },
  async (ctx, req, res) => {
    const from = repoRefOf(req);
    await requireRead(ctx, from); // before the body is judged
    const { target, files } = await req.json(duplicateBody);
    const [namespace = '', name = ''] = target.name.split('/');
    const wanted = files.map((file, i) => {
      const sha256 = parseSha256(file.sha256);
      if (sha256 === undefined) throw hubError('invalid_input', `"files.${i}.sha256": not a SHA-256`);
      return { sha256, xetHash: file.xetHash ? parseXetHash(file.xetHash) : undefined };
    });
    const { failed } = await copyFiles(ctx, from, { type: target.type, namespace, name }, wanted);
    sendJson(res, failed.length > 0 ? 207 : 200, {
      success: failed.length === 0,
      processed: files.length,
      succeeded: files.length - failed.length,
      failed,
    });
  },
);

export const lfsFileRoutes: Route[] = [list, removeMany, duplicate, removeOne];
