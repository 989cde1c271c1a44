import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import { parseSha256, type Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { completeUpload } from '#lib/repos/files/lfs/complete-upload.ts';
import { findGrantedFile } from '#lib/repos/files/lfs/find-granted-file.ts';
import { openLink } from '#lib/repos/files/lfs/links.ts';
import { putBasic } from '#lib/repos/files/lfs/put-basic.ts';
import { putPart } from '#lib/repos/files/lfs/put-part.ts';
import { verifyUpload } from '#lib/repos/files/lfs/verify-upload.ts';
import { openPieces } from '#lib/repos/files/open-file.ts';
import { evaluateRange } from '../hf/evaluate-range.ts';
import type { WireRequest } from '../request.ts';
import { sendEmpty, sendPieces, type WireResponse } from '../respond.ts';
import { type Route, type RouteMeta, route } from '../route.ts';
import { sendLfs } from './lfs-urls.ts';

/** Room for 10,000 parts. */
const MAX_COMPLETION_BYTES = 2 * 1_048_576;

const oid = z.string().transform((text, issue): Sha256 => {
  const sha256 = parseSha256(text);
  if (sha256) return sha256;
  issue.addIssue('is not 64 lower-case hex digits');
  return z.NEVER;
});
const completionSchema = z.object({
  oid,
  parts: z.array(z.object({ partNumber: z.number(), etag: z.string().max(200) })).max(10_000),
});
const verifySchema = z.object({ oid, size: z.number() });

/** Refuses a body whose announced length is wrong before a byte of it is read. */
function requireLength(req: WireRequest, sizeBytes: number): void {
  const length = req.contentLength();
  if (length !== null && length !== sizeBytes)
    throw hubError('invalid_object', `the body has ${length} bytes, ${sizeBytes} were announced`);
}

async function put(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const grant = openLink(ctx, 'put', req.param('token'));
  requireLength(req, grant.sizeBytes);
  await putBasic(ctx, grant, req.raw);
  sendEmpty(res, 200);
}

async function part(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const grant = openLink(ctx, 'part', req.param('token'));
  requireLength(req, grant.sizeBytes);
  sendEmpty(res, 200, { etag: await putPart(ctx, grant, req.raw) });
}

async function complete(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const grant = openLink(ctx, 'complete', req.param('token'));
  const { oid: sha256, parts } = await req.json(completionSchema, MAX_COMPLETION_BYTES);
  await completeUpload(ctx, grant, { sha256, parts });
  sendLfs(res, { success: true });
}

async function verify(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const grant = openLink(ctx, 'verify', req.param('token'));
  const claim = await req.json(verifySchema);
  await verifyUpload(ctx, grant, { sha256: claim.oid, sizeBytes: claim.size });
  sendLfs(res, { success: true });
}

async function get(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const file = await findGrantedFile(ctx, openLink(ctx, 'get', req.param('token')));
  const { sizeBytes, sha256 } = file;
  const etag = `"${sha256}"`;
  const verdict = evaluateRange({
    method: req.method,
    etag,
    sizeBytes,
    range: req.header('range'),
    ifRange: req.header('if-range'),
    ifNoneMatch: req.header('if-none-match'),
  });
  const headers = {
    etag,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'cache-control': 'private, no-transform',
  };
  if (verdict.status === 304) return sendEmpty(res, 304, headers);
  if (verdict.status === 416)
    throw hubError('range_not_satisfiable', `the object has ${sizeBytes} bytes`, {
      details: { contentRange: `bytes */${sizeBytes}` },
    });
  const range = verdict.status === 206 ? verdict : undefined;
  const length = range ? range.end - range.start + 1 : sizeBytes;
  const more = range && { 'content-range': `bytes ${range.start}-${range.end}/${sizeBytes}` };
  const head = { ...headers, ...more, 'content-length': length };
  if (req.method === 'HEAD') return sendEmpty(res, verdict.status, head);
  await sendPieces(res, verdict.status, head, await openPieces(ctx, file, { range, signal: ctx.signal }));
}

const meta = (operation: string): RouteMeta => ({
  operation,
  access: 'signedUrl',
  protocol: 'lfs',
  timeoutMs: 0,
});

/** What the links of a batch answer point to. The token in the path is the right: clients send no credentials. */
export const transferRoutes: Route[] = [
  route('PUT', '/api/lfs/objects/:token', meta('lfs.put'), put),
  route(['GET', 'HEAD'], '/api/lfs/objects/:token', meta('lfs.get'), get),
  route('PUT', '/api/lfs/parts/:token', meta('lfs.putPart'), part),
  route('POST', '/api/lfs/complete/:token', meta('lfs.complete'), complete),
  route('POST', '/api/lfs/verify/:token', meta('lfs.verify'), verify),
];
