import type { Ctx } from '#lib/identity/context.ts';
import { isAncestor } from '#lib/repos/commits-db.ts';
import { compareRevisions } from '#lib/repos/diff/compare-revisions.ts';
import { viewChange } from '#lib/repos/diff/diff-file.ts';
import { parseRange } from '#lib/repos/diff/parse-range.ts';
import type { ChangedFile, Comparison, FileDiff } from '#lib/repos/diff/types.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import { listRefs } from '#lib/repos/list-refs.ts';
import { areDiscussionsDisabled } from '#lib/repos/pulls/discussions-db.ts';
import type { CommitSummary, Repo, RepoRef } from '#lib/repos/types.ts';
import { type PlaceInRepo, placeInRepo } from './place-in-repo.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

/** Diffs that come with the page, so that it can be read at once; the others are fetched when they are looked at. */
const MAX_LOADED = 12;
const MAX_LOADED_LINES = 600;
const CONTEXT = 3;
const MAX_CHOICES = 200;
const RECENT_COMMITS = 30;

/** What is shown of a comparison. */
export interface ShownComparison {
  readonly comparison: Comparison;
  readonly loaded: Readonly<Record<string, FileDiff>>;
  /** Bytes of large files on either side, of those that differ. */
  readonly largeBytes: { readonly before: number; readonly after: number };
}

/** What can be compared: names to choose from. */
export interface RangeChoices {
  readonly branches: readonly string[];
  readonly tags: readonly string[];
  readonly pullRequests: readonly string[];
  readonly commits: readonly { readonly oid: string; readonly title: string }[];
}

export interface ComparePage {
  readonly overview: RepoOverview;
  readonly choices: RangeChoices;
  /** Null while nothing is chosen. */
  readonly shown: ShownComparison | null;
  /** The branches of a pull request that would bring in what is shown; null where there can be none. */
  readonly proposal: { readonly base: string; readonly head: string } | null;
}

export interface CommitPage {
  readonly place: PlaceInRepo;
  readonly commit: CommitSummary;
  readonly shown: ShownComparison;
  /** Where the reader may take it back: the branch that was asked for, or the default one when that has it. */
  readonly branch: string | null;
}

const linesOf = (file: ChangedFile) => (file.additions ?? 0) + (file.deletions ?? 0);

async function loadFirst(ctx: Ctx, repo: Repo, files: readonly ChangedFile[]) {
  let lines = 0;
  const first = files.slice(0, MAX_LOADED).filter((file) => {
    const fits = file.additions !== null && lines + linesOf(file) <= MAX_LOADED_LINES;
    if (fits) lines += linesOf(file);
    return fits;
  });
  const loaded = await Promise.all(
    first.map(async (file): Promise<[string, FileDiff]> => {
      const view = await viewChange(ctx.db, repo, file, CONTEXT);
      return [file.path, { file, view }];
    }),
  );
  return Object.fromEntries(loaded);
}

/** A comparison with what its page shows at once. Throws what compareRevisions throws. */
export async function showComparison(ctx: Ctx, ref: RepoRef, range: string): Promise<ShownComparison> {
  const comparison = await compareRevisions(ctx, ref, parseRange(range));
  const { files, repo } = comparison;
  const sum = (side: 'before' | 'after') =>
    files.reduce((total, file) => total + (file[side]?.lfs?.sizeBytes ?? 0), 0);
  return {
    comparison,
    loaded: await loadFirst(ctx, repo, files),
    largeBytes: { before: sum('before'), after: sum('after') },
  };
}

async function choicesOf(ctx: Ctx, { repo, facts }: RepoOverview): Promise<RangeChoices> {
  const [refs, recent] = await Promise.all([
    listRefs(ctx.db, repo),
    facts === null
      ? { commits: [] }
      : listCommits(ctx.db, repo, facts.commitOid, { page: 0, limit: RECENT_COMMITS }),
  ]);
  const names = (of: readonly { name: string }[]) => of.slice(0, MAX_CHOICES).map(({ name }) => name);
  return {
    branches: names(refs.branches),
    tags: names(refs.tags),
    pullRequests: names(refs.pullRequests),
    commits: recent.commits.map(({ oid, title }) => ({ oid, title })),
  };
}

/** The page of a comparison; with an empty range only what can be chosen. */
export async function comparePage(ctx: Ctx, ref: RepoRef, range: string): Promise<ComparePage> {
  const overview = await repoOverview(ctx, ref);
  const [choices, shown] = await Promise.all([
    choicesOf(ctx, overview),
    range === '' ? null : showComparison(ctx, overview.repo, range),
  ]);
  return { overview, choices, shown, proposal: shown && (await proposalOf(ctx, overview, shown.comparison)) };
}

async function proposalOf(ctx: Ctx, { repo }: RepoOverview, { base, head, ahead }: Comparison) {
  if (base.name !== repo.defaultBranch || head.name === base.name || ahead === 0) return null;
  const [refs, isDisabled] = await Promise.all([
    listRefs(ctx.db, repo),
    areDiscussionsDisabled(ctx.db, repo.id),
  ]);
  const isBranch = refs.branches.some(({ name }) => name === head.name);
  return isBranch && !isDisabled ? { base: base.name, head: head.name } : null;
}

async function branchToRevertOn(ctx: Ctx, { overview, branch, commitOid }: PlaceInRepo) {
  const { repo, facts, mayWrite } = overview;
  if (!mayWrite || facts === null) return null;
  if (branch !== null) return branch;
  return (await isAncestor(ctx.db, repo.id, commitOid, facts.commitOid)) ? repo.defaultBranch : null;
}

/** A commit with what it changed against its first parent, or against nothing when it has none. */
export async function commitPage(ctx: Ctx, ref: RepoRef, rawTail: string): Promise<CommitPage> {
  const place = await placeInRepo(ctx, ref, rawTail);
  const { repo } = place.overview;
  const [{ commits }, shown, branch] = await Promise.all([
    listCommits(ctx.db, repo, place.commitOid, { page: 0, limit: 1 }),
    showComparison(ctx, repo, `${place.commitOid}^..${place.commitOid}`),
    branchToRevertOn(ctx, place),
  ]);
  return { place, commit: commits[0] as CommitSummary, shown, branch };
}
