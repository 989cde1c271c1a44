import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { requireUpload } from '#lib/repos/files/require-upload.ts';
import type { XetScope } from '#lib/repos/files/xet/token.ts';
import { requireRoom } from '#lib/repos/storage/require-room.ts';
import { isTrue, repoRefOf } from '../hf/repo-params.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { xetTokenHeaders } from './xet-token-headers.ts';

async function sendToken(ctx: Ctx, req: WireRequest, res: WireResponse, scope: XetScope): Promise<void> {
  const ref = repoRefOf(req);
  const { repo, isGuest } =
    scope === 'read'
      ? { repo: await requireRead(ctx, ref), isGuest: false }
      : await requireUpload(ctx, ref, {
          createPr: isTrue(req.query.get('create_pr')),
          revision: req.decodedParam('rest'),
        });
  if (scope === 'write') await requireRoom(ctx, repo.id, 1);
  const headers = await xetTokenHeaders(ctx, repo, scope, { isGuest });
  // hf_xet and JavaScript read the body, Python the headers (xet.md §1.1).
  const body = {
    casUrl: headers['x-xet-cas-url'],
    accessToken: headers['x-xet-access-token'],
    exp: Number(headers['x-xet-token-expiration']),
  };
  sendJson(res, 200, body, { ...headers });
}

/**
 * Where clients trade their hub credential for a Xet token. Who may write to the repo may for any revision in the path:
 * clients send branches that do not exist yet, commits, or `None`. Others may for a pull request of theirs.
 */
export const tokenRoutes: readonly Route[] = [
  route(
    'GET',
    '/api/:type(models|datasets|spaces)/:ns/:name/xet-read-token/*rest',
    { operation: 'xet.readToken', access: 'repo.read' },
    (ctx, req, res) => sendToken(ctx, req, res, 'read'),
  ),
  route(
    'GET',
    '/api/:type(models|datasets|spaces)/:ns/:name/xet-write-token/*rest',
    { operation: 'xet.writeToken', access: 'repo.write', scope: 'write' },
    (ctx, req, res) => sendToken(ctx, req, res, 'write'),
  ),
];
