import { isHubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { compareRevisions } from '#lib/repos/diff/compare-revisions.ts';
import type { Comparison } from '#lib/repos/diff/types.ts';
import { listRefs } from '#lib/repos/list-refs.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

const MAX_CHOICES = 500;

export interface NewPullPage {
  readonly overview: RepoOverview;
  readonly branches: readonly string[];
  readonly base: string;
  /** Null while none is chosen. */
  readonly head: string | null;
  /** What the pull request would propose; null when head or base do not exist. */
  readonly proposal: Pick<Comparison, 'ahead' | 'commits' | 'files'> | null;
}

/** What a new discussion or pull request is begun with. Throws repo_not_found. */
export async function newPullPage(
  ctx: Ctx,
  ref: RepoRef,
  chosen: { readonly base: string | null; readonly head: string | null },
): Promise<NewPullPage> {
  const overview = await repoOverview(ctx, ref);
  const { repo } = overview;
  const { branches } = await listRefs(ctx.db, repo);
  const base = chosen.base ?? repo.defaultBranch;
  const proposal =
    chosen.head === null
      ? null
      : await compareRevisions(ctx, repo, { base, head: chosen.head, mode: 'three-dot' }).catch(
          (error: unknown) => {
            if (isHubError(error)) return null;
            throw error;
          },
        );
  const names = branches.slice(0, MAX_CHOICES).map((branch) => branch.name);
  return { overview, branches: names, base, head: chosen.head, proposal };
}
