import type { Ctx } from '#lib/identity/context.ts';
import { requireRead, requireWrite } from '#lib/repos/access.ts';
import type { XetScope } from '#lib/repos/files/xet/token.ts';
import { repoRefOf } from '../hf/repo-params.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { xetTokenHeaders } from './xet-token-headers.ts';

async function sendToken(ctx: Ctx, req: WireRequest, res: WireResponse, scope: XetScope): Promise<void> {
  const ref = repoRefOf(req);
  const repo = scope === 'read' ? await requireRead(ctx, ref) : await requireWrite(ctx, ref);
  const headers = await xetTokenHeaders(ctx, repo, scope);
  // hf_xet and JavaScript read the body, Python the headers (xet.md §1.1).
  const body = {
    casUrl: headers['x-xet-cas-url'],
    accessToken: headers['x-xet-access-token'],
    exp: Number(headers['x-xet-token-expiration']),
  };
  sendJson(res, 200, body, { ...headers });
}

/**
 * Where clients trade their hub credential for a Xet token. The revision in the path is not looked at: the right to
 * read and write files is the repo's, and clients send branches that do not exist yet, commits, or `None`.
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
