import type { Ctx } from '#lib/identity/context.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';

const LFS_JSON = 'application/vnd.git-lfs+json';

/** Patterns of a path below a repo's LFS address: with and without `.git`, models and datasets. */
export function repoPatterns(path: string): string[] {
  return ['', '/:type(datasets)'].flatMap((prefix) =>
    ['.git', ''].map((suffix) => `${prefix}/:ns/:name${suffix}/info/lfs/${path}`),
  );
}

/** The repo that a request to one of repoPatterns names. */
export function repoRefOf(req: WireRequest): RepoRef {
  const type = req.params.type === 'datasets' ? 'dataset' : 'model';
  return { type, namespace: req.param('ns'), name: req.param('name') };
}

/** Address of what a signed token grants. */
export function linkUrl(ctx: Ctx, what: 'objects' | 'parts' | 'complete' | 'verify', token: string): string {
  return `${ctx.publicUrl}/api/lfs/${what}/${token}`;
}

/** Sends JSON with the LFS media type. */
export function sendLfs(res: WireResponse, body: unknown, status = 200): void {
  sendJson(res, status, body, { 'content-type': LFS_JSON });
}
