import type { Ctx } from '#lib/identity/context.ts';
import type { Repo } from '#lib/repos/types.ts';
import { apiType } from '../hf/urls.ts';
import { xetTokenHeaders } from './xet-token-headers.ts';

/**
 * The upload action of an LFS batch that chose the transfer `xet` (xet.md §1.3): where to renew the token, and the
 * headers that hold the first one. The caller has checked the right to write and that the client offered `xet`.
 */
export async function xetUploadAction(
  ctx: Ctx,
  repo: Repo,
  { revision = repo.defaultBranch, isGuest = false }: { revision?: string | undefined; isGuest?: boolean },
): Promise<{ href: string; header: Record<string, string> }> {
  const token = await xetTokenHeaders(ctx, repo, 'write', { isGuest });
  const rev = encodeURIComponent(revision.toWellFormed());
  return {
    href: `${ctx.publicUrl}/api/${apiType(repo.type)}/${repo.namespace}/${repo.name}/xet-write-token/${rev}${isGuest ? '?create_pr=1' : ''}`,
    header: {
      'X-Xet-Cas-Url': token['x-xet-cas-url'],
      'X-Xet-Access-Token': token['x-xet-access-token'],
      'X-Xet-Token-Expiration': token['x-xet-token-expiration'],
      'X-Xet-Session-Id': ctx.requestId,
    },
  };
}
