import type { Ctx } from '#lib/identity/context.ts';
import { canCreateIn } from '#lib/identity/policy.ts';
import { requireAdmin } from '#lib/repos/access.ts';
import { listBranchRules } from '#lib/repos/list-branch-rules.ts';
import { type LfsFile, listLfsFiles } from '#lib/repos/list-lfs-files.ts';
import { listRefs } from '#lib/repos/list-refs.ts';
import type { BranchRule } from '#lib/repos/protect-branch.ts';
import { areDiscussionsDisabled } from '#lib/repos/pulls/discussions-db.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

const MAX_FILES = 500;
const MAX_BRANCHES = 500;

export interface RepoSettingsPage {
  readonly overview: RepoOverview;
  readonly branches: readonly string[];
  readonly rules: readonly BranchRule[];
  readonly files: readonly LfsFile[];
  readonly hasMoreFiles: boolean;
  readonly areDiscussionsDisabled: boolean;
  /** Names of namespaces in which the reader may create repos. */
  readonly namespaces: readonly string[];
}

/** Everything that the settings of a repo show. Throws repo_not_found, forbidden. */
export async function repoSettingsPage(ctx: Ctx, ref: RepoRef): Promise<RepoSettingsPage> {
  const repo = await requireAdmin(ctx, ref);
  const [overview, refs, rules, { files, next }, isDisabled] = await Promise.all([
    repoOverview(ctx, ref),
    listRefs(ctx.db, repo),
    listBranchRules(ctx.db, repo.id),
    listLfsFiles(ctx, repo, { limit: MAX_FILES, after: null }),
    areDiscussionsDisabled(ctx.db, repo.id),
  ]);
  const { principal } = ctx;
  const own = principal.kind === 'user' ? [principal, ...principal.orgs] : [];
  return {
    overview,
    branches: refs.branches.slice(0, MAX_BRANCHES).map((branch) => branch.name),
    rules,
    files: files.toSorted((a, b) => b.sizeBytes - a.sizeBytes),
    hasMoreFiles: next !== null,
    areDiscussionsDisabled: isDisabled,
    namespaces: own.filter(({ id }) => canCreateIn(principal, id)).map(({ name }) => name),
  };
}
