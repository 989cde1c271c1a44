import { contentDisposition } from '#lib/base/content-disposition.ts';
import { hubError } from '#lib/base/errors.ts';
import { recordDownload } from '#lib/catalog/record-download.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { openArchive } from '#lib/repos/archive/open-archive.ts';
import type { WireRequest } from '../request.ts';
import { sendEmpty, sendPieces, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { evaluateRange } from './evaluate-range.ts';
import { repoRefOf, webPatterns } from './repo-params.ts';

/** A repo or a folder of it as a zip: `…/archive/main.zip`, `…/archive/main/folder.zip`. Ranges are not offered. */
export const archive: Route = route(
  ['GET', 'HEAD'],
  webPatterns('archive/*rest'),
  { operation: 'file.archive', access: 'repo.read', timeoutMs: 0 },
  sendArchive,
);

async function sendArchive(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const rest = req.param('rest');
  if (!rest.endsWith('.zip')) throw hubError('not_found', 'the address of an archive ends in .zip');
  const found = await openArchive(ctx, repoRefOf(req), rest.slice(0, -'.zip'.length));
  const { etag } = found;
  const isPublic = found.isImmutable && found.repo.visibility === 'public';
  const headers = {
    'x-repo-commit': found.commitOid,
    etag,
    'content-type': 'application/zip',
    'content-disposition': contentDisposition('attachment', found.fileName),
    'accept-ranges': 'none',
    'cache-control': `${isPublic ? 'public, max-age=3600' : 'private, no-cache'}, no-transform`,
    vary: 'Origin',
  };
  const conditions = { method: req.method, etag, sizeBytes: 0, ifNoneMatch: req.header('if-none-match') };
  if (evaluateRange(conditions).status === 304) return sendEmpty(res, 304, headers);
  if (req.method === 'HEAD')
    return sendEmpty(res, 200, { ...headers, 'content-length': await found.measure() });
  const { sizeBytes, pieces } = await found.open();
  recordDownload(ctx, found.repo.id);
  await sendPieces(res, 200, { ...headers, 'content-length': sizeBytes }, pieces);
}
