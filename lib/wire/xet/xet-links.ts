import type { Ctx } from '#lib/identity/context.ts';
import { currentDomain } from '#lib/repos/files/xet/current-domain.ts';
import { casUrl } from '#lib/repos/files/xet/sign-fetch.ts';
import type { Repo, RepoFile } from '#lib/repos/types.ts';
import { apiType } from '../hf/urls.ts';

export interface XetLinks {
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Headers with which an answer of resolve offers Xet (xet.md §1.2): file id, where to get a read token, where to ask
 * for the reconstruction. None when the file is not held as Xet. Costs no query while the domain's epoch is remembered.
 */
export async function xetLinks(
  ctx: Ctx,
  repo: Repo,
  commitOid: string,
  file: Pick<RepoFile, 'xet'>,
): Promise<XetLinks> {
  if (file.xet === null) return { headers: {} };
  const { namespace, name, type } = repo;
  const auth = `${ctx.publicUrl}/api/${apiType(type)}/${namespace}/${name}/xet-read-token/${commitOid}`;
  // the repo's own domain, for which its tokens are good, also for a file that came from another
  const cas = casUrl(ctx, await currentDomain(ctx, repo.namespaceId));
  const info = `${cas}/v1/reconstructions/${file.xet.hash}`;
  return {
    headers: {
      'x-xet-hash': file.xet.hash,
      'x-xet-refresh-route': auth,
      link: `<${auth}>; rel="xet-auth", <${info}>; rel="xet-reconstruction-info"`,
    },
  };
}
