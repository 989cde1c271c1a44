import type { OutgoingHttpHeaders } from 'node:http';
import { hubError } from '#lib/base/errors.ts';
import { recordDownload } from '#lib/catalog/record-download.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { fileUrl } from '#lib/repos/files/file-url.ts';
import { openPieces } from '#lib/repos/files/open-file.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { type ResolvedFile, resolveFile } from '#lib/repos/resolve-file.ts';
import type { RepoFile } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';
import { sendEmpty, sendJson, sendPieces, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { type XetLinks, xetLinks } from '../xet/xet-links.ts';
import { type ContentHeaders, contentHeaders, SANDBOX_CSP } from './content-headers.ts';
import { evaluateRange, type RangeVerdict } from './evaluate-range.ts';
import { isTrue, repoRefOf, webPatterns } from './repo-params.ts';

const XET_INFO = 'application/vnd.xet-fileinfo+json';
/** Long enough for a browser or aria2 to ask for more parts of a large file; after that they come back here. */
const SIGNED_SECONDS = 3600;
/** Looked at by people and pages, not downloads of the model. */
const NOT_COUNTED = /(?:^|\/)(?:README\.md|LICENSE(?:\.\w+)?|\.git\w+)$|\.(?:png|jpe?g|gif|webp|svg|ico)$/i;

/** A file's bytes, or with HEAD everything about them. No object store is touched by HEAD. */
export const resolve: Route = route(
  ['GET', 'HEAD'],
  webPatterns('resolve/*rest'),
  { operation: 'file.resolve', access: 'repo.read', timeoutMs: 0 },
  sendResolved,
);

/** The blob of git itself: for a large file the text of its pointer. */
export const raw: Route = route(
  ['GET', 'HEAD'],
  webPatterns('raw/*rest'),
  { operation: 'file.raw', access: 'repo.read' },
  sendRaw,
);

/** `/gpt2/resolve/…`, `/api/models/gpt2`: ids without a namespace are valid for clients, but this hub has none. */
export const legacyIds: Route = route(
  ['GET', 'HEAD'],
  ['/:name/resolve/*rest', '/:name/raw/*rest', '/api/:type(models|datasets|spaces|kernels)/:name'],
  { operation: 'repo.legacy', access: 'public' },
  async () => {
    throw hubError('repo_not_found', 'Repository not found');
  },
);

async function sendResolved(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const found = await resolveFile(ctx, repoRefOf(req), req.param('rest'));
  const { entry, file } = found;
  if (entry.lfs && file === null)
    throw hubError('not_found', 'the content of this file is not stored in this repository: upload it again');
  const etag = `"${entry.lfs ? entry.lfs.sha256 : entry.oid}"`;
  const headers = baseHeaders(found, etag, contentHeaders(entry.path, asksToSave(req)));
  if (entry.lfs) {
    headers['x-linked-etag'] = etag;
    headers['x-linked-size'] = entry.sizeBytes;
  }
  const xet = file?.xet ? await xetLinks(ctx, found.repo, found.commitOid, file) : null;
  if (xet !== null) Object.assign(headers, xet.headers);
  if (!NOT_COUNTED.test(entry.path)) recordDownload(ctx, found.repo.id);
  if (xet?.headers['x-xet-hash'] && req.header('accept')?.includes(XET_INFO)) {
    sendXetInfo(res, headers, xet.headers, entry.sizeBytes);
    return;
  }
  const verdict = verdictOf(req, etag, entry.sizeBytes);
  if (sentWithoutBody(req, res, headers, verdict, entry.sizeBytes)) return;
  if (file === null) sendBytes(res, headers, verdict, await readBlob(ctx.db, found.repo.id, entry.oid));
  else await sendLarge(ctx, res, headers, verdict, file, entry.path);
}

async function sendRaw(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const found = await resolveFile(ctx, repoRefOf(req), req.param('rest'));
  const { entry } = found;
  const etag = `"${entry.oid}"`;
  const headers = baseHeaders(found, etag, contentHeaders(entry.path));
  if (entry.lfs) headers['content-type'] = 'text/plain; charset=utf-8';
  const sizeBytes = entry.lfs ? entry.lfs.pointerSizeBytes : entry.sizeBytes;
  const verdict = verdictOf(req, etag, sizeBytes);
  if (sentWithoutBody(req, res, headers, verdict, sizeBytes)) return;
  sendBytes(res, headers, verdict, await readBlob(ctx.db, found.repo.id, entry.oid));
}

/** Headers of every answer about a file, whatever its method and status. */
function baseHeaders(found: ResolvedFile, etag: string, content: ContentHeaders): OutgoingHttpHeaders {
  const immutable = found.revision.ref === null && found.repo.visibility === 'public';
  return {
    'x-repo-commit': found.commitOid,
    etag,
    'content-type': content.contentType,
    'content-disposition': content.contentDisposition,
    'content-security-policy': SANDBOX_CSP,
    'accept-ranges': 'bytes',
    'cache-control': `${immutable ? 'public, max-age=3600' : 'private, no-cache'}, no-transform`,
    vary: 'Origin, Accept',
  };
}

/** `?download=true`: the browser is to save the file, not to show it. */
function asksToSave(req: WireRequest): boolean {
  return req.raw.url?.includes('?') === true && isTrue(req.query.get('download'));
}

function verdictOf(req: WireRequest, etag: string, sizeBytes: number): RangeVerdict {
  return evaluateRange({
    method: req.method,
    etag,
    sizeBytes,
    range: req.header('range'),
    ifRange: req.header('if-range'),
    ifNoneMatch: req.header('if-none-match'),
  });
}

/** Answers what needs no bytes: HEAD, 304, the empty file. Throws range_not_satisfiable. */
function sentWithoutBody(
  req: WireRequest,
  res: WireResponse,
  headers: OutgoingHttpHeaders,
  verdict: RangeVerdict,
  sizeBytes: number,
): boolean {
  if (verdict.status === 304) {
    sendEmpty(res, 304, headers);
    return true;
  }
  if (verdict.status === 416)
    throw hubError('range_not_satisfiable', `the file has ${sizeBytes} bytes`, {
      details: { contentRange: `bytes */${sizeBytes}` },
    });
  if (req.method !== 'HEAD' && sizeBytes > 0) return false;
  headers['content-length'] = sizeBytes;
  if (req.method !== 'HEAD' && req.header('range') !== undefined) headers['content-range'] = 'bytes */0';
  res.writeHead(200, headers);
  res.end();
  return true;
}

function sendBytes(
  res: WireResponse,
  headers: OutgoingHttpHeaders,
  verdict: RangeVerdict,
  bytes: Buffer,
): void {
  const part = verdict.status === 206 ? bytes.subarray(verdict.start, verdict.end + 1) : bytes;
  headers['content-length'] = part.length;
  if (verdict.status === 206)
    headers['content-range'] = `bytes ${verdict.start}-${verdict.end}/${bytes.length}`;
  res.writeHead(verdict.status, headers);
  res.end(part);
}

/** A large file: from the store itself when clients can reach it, else through the hub. */
async function sendLarge(
  ctx: Ctx,
  res: WireResponse,
  headers: OutgoingHttpHeaders,
  verdict: RangeVerdict,
  file: RepoFile,
  path: string,
): Promise<void> {
  const location = await fileUrl(ctx, file, {
    expiresSeconds: SIGNED_SECONDS,
    contentType: String(headers['content-type']),
    filename: path.slice(path.lastIndexOf('/') + 1),
  });
  if (location !== null) {
    res.writeHead(302, { ...headers, location, 'content-length': 0, 'cache-control': 'private, no-store' });
    res.end();
    return;
  }
  const range = verdict.status === 206 ? { start: verdict.start, end: verdict.end } : undefined;
  headers['content-length'] = range ? range.end - range.start + 1 : file.sizeBytes;
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${file.sizeBytes}`;
  await sendPieces(res, verdict.status, headers, await openPieces(ctx, file, { range, signal: ctx.signal }));
}

/** Where to rebuild the file from chunks, for clients that ask for that instead of bytes. */
function sendXetInfo(
  res: WireResponse,
  headers: OutgoingHttpHeaders,
  links: XetLinks['headers'],
  sizeBytes: number,
): void {
  const { 'content-disposition': _, ...rest } = headers;
  const body = {
    hash: links['x-xet-hash'],
    etag: headers.etag,
    size: sizeBytes,
    refreshUrl: links['x-xet-refresh-route'],
    reconstructionUrl: /<([^>]+)>; rel="xet-reconstruction-info"/.exec(links.link ?? '')?.[1],
  };
  sendJson(res, 200, body, { ...rest, 'content-type': XET_INFO });
}
