import type { Ctx } from '#lib/identity/context.ts';
import { findChunk } from '#lib/repos/files/xet/find-chunk.ts';
import { findXetObject } from '#lib/repos/files/xet/find-xet-object.ts';
import { reconstruct } from '#lib/repos/files/xet/reconstruct.ts';
import { openSignedFetch } from '#lib/repos/files/xet/sign-fetch.ts';
import type { WireRequest } from '../request.ts';
import { sendBytes, sendEmpty, sendJson, sendPieces, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { grantOf, hashOf } from './grant-of.ts';
import { serializeReconstructionV1, serializeReconstructionV2 } from './serialize-reconstruction.ts';

async function sendReconstruction(
  ctx: Ctx,
  req: WireRequest,
  res: WireResponse,
  serialize: typeof serializeReconstructionV1 | typeof serializeReconstructionV2,
): Promise<void> {
  const grant = await grantOf(ctx, req, 'read');
  sendJson(res, 200, serialize(await reconstruct(ctx, grant, hashOf(req), req.header('range'))));
}

async function sendFetch(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const fetch = await openSignedFetch(ctx, req.param('token'), req.header('range'), ctx.signal);
  const { start, end } = fetch.bytes;
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'content-range': `bytes ${start}-${end}/${fetch.totalBytes}`,
    'cache-control': 'private, max-age=3600',
  };
  await sendPieces(res, 206, headers, fetch.body);
}

/** The reading half of the CAS protocol (xet.md §1.4). */
export const downloadRoutes: readonly Route[] = [
  route(
    'GET',
    '/xet/:cas/v2/reconstructions/:hash',
    { operation: 'xet.reconstructV2', access: 'xetToken', protocol: 'xet' },
    (ctx, req, res) => sendReconstruction(ctx, req, res, serializeReconstructionV2),
  ),
  route(
    'GET',
    '/xet/:cas/v1/reconstructions/:hash',
    { operation: 'xet.reconstructV1', access: 'xetToken', protocol: 'xet' },
    (ctx, req, res) => sendReconstruction(ctx, req, res, serializeReconstructionV1),
  ),
  route(
    'GET',
    '/xet/:cas/v1/chunks/:prefix(default|default-merkledb)/:hash',
    { operation: 'xet.chunk', access: 'xetToken', protocol: 'xet' },
    async (ctx, req, res) => {
      const grant = await grantOf(ctx, req, 'read'); // the use case asks for more
      // hf_xet names its session; the JavaScript client keeps one token for a commit
      const session = req.header('x-xet-session-id') ?? req.header('authorization') ?? '';
      const question = { hash: hashOf(req), session };
      sendBytes(res, 'application/octet-stream', await findChunk(ctx, grant, question, ctx.signal));
    },
  ),
  route(
    'HEAD',
    ['/xet/:cas/v1/:kind(files)/:hash', '/xet/:cas/v1/:kind(xorbs)/default/:hash'],
    { operation: 'xet.head', access: 'xetToken', protocol: 'xet' },
    async (ctx, req, res) => {
      const kind = req.param('kind') === 'files' ? 'file' : 'xorb';
      const grant = await grantOf(ctx, req, kind === 'file' ? 'read' : 'write');
      const { sizeBytes } = await findXetObject(ctx, grant, kind, hashOf(req));
      sendEmpty(res, 200, { 'content-length': sizeBytes });
    },
  ),
  route(
    'GET',
    '/xet/:cas/fetch/:token',
    { operation: 'xet.fetch', access: 'signedUrl', protocol: 'xet', timeoutMs: 0 },
    sendFetch,
  ),
];
