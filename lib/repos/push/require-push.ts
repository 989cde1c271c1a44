import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything, canWrite } from '#lib/identity/policy.ts';
import { accessRefused, requireRead } from '../access.ts';
import { findOpenPullsOf } from '../pulls/find-pull-author.ts';
import type { Repo, RepoRef } from '../types.ts';

/** Who may push to a repo at all. */
export interface PushRight {
  readonly repo: Repo;
  /** Numbers of the caller's own open pull requests; who may write needs none. */
  readonly ownPulls: ReadonlySet<number>;
}

/**
 * Who may write to a repo may push to it, and whose pull request is open may push to that. Throws repo_not_found,
 * unauthenticated, forbidden.
 */
export async function requirePush(ctx: Pick<Ctx, 'db' | 'principal'>, ref: RepoRef): Promise<PushRight> {
  const repo = await requireRead(ctx, ref);
  const { principal } = ctx;
  if (canWrite(principal, repo)) return { repo, ownPulls: new Set() };
  const ownPulls =
    principal.kind === 'user' && canChangeAnything(principal)
      ? await findOpenPullsOf(ctx.db, repo.id, principal.id)
      : [];
  if (ownPulls.length === 0) throw accessRefused(principal, 'to upload to a repository');
  return { repo, ownPulls: new Set(ownPulls) };
}
