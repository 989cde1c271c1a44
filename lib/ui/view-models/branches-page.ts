import type { Ctx } from '#lib/identity/context.ts';
import { selectSummaries } from '#lib/repos/commits-db.ts';
import { type Apart, countApart } from '#lib/repos/count-apart.ts';
import { bytesText, compileGlob } from '#lib/repos/git/wildmatch.ts';
import { listBranchRules } from '#lib/repos/list-branch-rules.ts';
import { listDeletedBranches, type ReflogEntry } from '#lib/repos/list-reflog.ts';
import { listRefs, type NamedRef } from '#lib/repos/list-refs.ts';
import type { CommitSummary, RepoRef } from '#lib/repos/types.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

const REFS_PER_PAGE = 50;
const MAX_COUNTED = 1000;
const MAX_DELETED = 20;

export interface RefLine {
  readonly name: string;
  readonly commit: CommitSummary | null;
}

export interface BranchLine extends RefLine {
  readonly isDefault: boolean;
  /** Patterns that protect it. */
  readonly rules: readonly string[];
  /** From the default branch; null for that branch itself. */
  readonly apart: Apart | null;
}

export interface BranchesPage {
  readonly overview: RepoOverview;
  readonly branches: readonly BranchLine[];
  readonly tags: readonly RefLine[];
  /** Only for who may bring them back. */
  readonly deleted: readonly ReflogEntry[];
  readonly branchCount: number;
  readonly tagCount: number;
  readonly page: number;
  readonly hasNext: boolean;
}

/** Branches and tags of a repo, 50 of each a page (0-based), with where they are. */
export async function branchesPage(ctx: Ctx, ref: RepoRef, page: number): Promise<BranchesPage> {
  const overview = await repoOverview(ctx, ref);
  const { repo, mayWrite } = overview;
  const [refs, rules, deleted] = await Promise.all([
    listRefs(ctx.db, repo),
    listBranchRules(ctx.db, repo.id),
    mayWrite ? listDeletedBranches(ctx.db, repo.id, MAX_DELETED) : [],
  ]);
  const cut = (list: readonly NamedRef[]) => list.slice(page * REFS_PER_PAGE, (page + 1) * REFS_PER_PAGE);
  const [branches, tags] = [cut(refs.branches), cut(refs.tags.toReversed())];
  const oids = [...branches, ...tags].map((line) => line.targetCommit);
  const commits = await selectSummaries(ctx.db, repo.id, [...new Set(oids)]);
  const main = refs.branches.find((branch) => branch.name === repo.defaultBranch)?.targetCommit;
  const globs = rules.map(({ pattern }) => ({ pattern, glob: compileGlob(bytesText(pattern)) }));
  const lines: BranchLine[] = [];
  for (const { name, targetCommit } of branches) {
    const isDefault = name === repo.defaultBranch;
    lines.push({
      name,
      commit: commits.get(targetCommit) ?? null,
      isDefault,
      rules: globs.filter(({ glob }) => glob.matches(bytesText(name))).map(({ pattern }) => pattern),
      apart:
        isDefault || main === undefined
          ? null
          : await countApart(ctx.db, repo.id, main, targetCommit, MAX_COUNTED),
    });
  }
  return {
    overview,
    branches: lines,
    tags: tags.map(({ name, targetCommit }) => ({ name, commit: commits.get(targetCommit) ?? null })),
    deleted,
    branchCount: refs.branches.length,
    tagCount: refs.tags.length,
    page,
    hasNext: Math.max(refs.branches.length, refs.tags.length) > (page + 1) * REFS_PER_PAGE,
  };
}
