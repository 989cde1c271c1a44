import type { Ctx } from '#lib/identity/context.ts';
import { casUrl } from '#lib/repos/files/xet/sign-fetch.ts';
import { issueXetToken, type XetScope } from '#lib/repos/files/xet/token.ts';
import type { Repo } from '#lib/repos/types.ts';

export interface XetTokenHeaders {
  readonly 'x-xet-cas-url': string;
  readonly 'x-xet-access-token': string;
  /** Unix seconds. */
  readonly 'x-xet-token-expiration': string;
}

/** Headers that carry a fresh Xet token for the repo. The caller has checked the right that `scope` names. */
export async function xetTokenHeaders(
  ctx: Ctx,
  repo: Repo,
  scope: XetScope,
  options: { isGuest?: boolean } = {},
): Promise<XetTokenHeaders> {
  const token = await issueXetToken(ctx, repo, scope, options);
  return {
    'x-xet-cas-url': casUrl(ctx, { id: token.domainId, epoch: token.epoch }),
    'x-xet-access-token': token.accessToken,
    'x-xet-token-expiration': String(token.expiresAt),
  };
}
