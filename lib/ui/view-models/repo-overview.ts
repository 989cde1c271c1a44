import { factsOf } from '#lib/catalog/facts-of.ts';
import { listFiles } from '#lib/catalog/list-files.ts';
import type { RepoFacts } from '#lib/catalog/types.ts';
import { chooseEngine } from '#lib/endpoints/choose-engine.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canWrite } from '#lib/identity/policy.ts';
import { requireRead } from '#lib/repos/access.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import { countOpen } from '#lib/repos/pulls/discussions-db.ts';
import type { CommitSummary, Repo, RepoRef, TreeEntry } from '#lib/repos/types.ts';

/** Files looked at for sums and snippets; repos with more show "more than". */
const MAX_FILES = 2_000;

/** What every page of a repo shows above its content. */
export interface RepoOverview {
  readonly repo: Repo;
  /** Null for a repo without any commit. */
  readonly facts: RepoFacts | null;
  readonly files: readonly TreeEntry[];
  readonly hasMoreFiles: boolean;
  readonly commitCount: number;
  readonly lastCommit: CommitSummary | null;
  readonly mayWrite: boolean;
  /** Open discussions and pull requests. */
  readonly openDiscussions: number;
  readonly canDeploy: boolean;
}

/** Loads a repo for its pages. Throws repo_not_found for who may not read it. */
export async function repoOverview(ctx: Ctx, ref: RepoRef): Promise<RepoOverview> {
  const repo = await requireRead(ctx, ref);
  const facts = await factsOf(ctx, repo);
  const mayWrite = canWrite(ctx.principal, repo);
  const openDiscussions = await countOpen(ctx.db, repo.id);
  if (facts === null) {
    const nothing = { files: [], hasMoreFiles: false, commitCount: 0, lastCommit: null, canDeploy: false };
    return { repo, facts, mayWrite, openDiscussions, ...nothing };
  }
  const [files, commits] = await Promise.all([
    listFiles(ctx, repo, facts.commitOid, MAX_FILES + 1),
    listCommits(ctx.db, repo, facts.commitOid, { page: 0, limit: 1 }),
  ]);
  return {
    repo,
    facts,
    files: files.slice(0, MAX_FILES),
    hasMoreFiles: files.length > MAX_FILES,
    commitCount: commits.total,
    lastCommit: commits.commits[0] ?? null,
    mayWrite,
    openDiscussions,
    canDeploy: repo.type === 'model' && chooseEngine(files).ok,
  };
}
