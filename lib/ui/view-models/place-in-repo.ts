import type { Ctx } from '#lib/identity/context.ts';
import { lastCommits } from '#lib/repos/last-commits.ts';
import { listRefs } from '#lib/repos/list-refs.ts';
import { splitRevision } from '#lib/repos/split-revision.ts';
import type { CommitSummary, Repo, RepoRef } from '#lib/repos/types.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

const MAX_REFS_SHOWN = 200;

/** Where a page stands inside a repo. */
export interface PlaceInRepo {
  readonly overview: RepoOverview;
  /** As in the address: branch, tag or oid. */
  readonly revision: string;
  readonly commitOid: CommitSummary['oid'];
  /** Short name of the branch whose newest version this is; null for tags and commits. */
  readonly branch: string | null;
  /** From the root, without slashes around it. */
  readonly path: string;
  readonly branches: readonly string[];
  readonly tags: readonly string[];
}

/** Finds repo, revision and path of an address. Throws repo_not_found and revision_not_found. */
export async function placeInRepo(ctx: Ctx, ref: RepoRef, rawTail: string): Promise<PlaceInRepo> {
  const overview = await repoOverview(ctx, ref);
  const [{ revision, path }, refs] = await Promise.all([
    splitRevision(ctx.db, overview.repo, rawTail),
    listRefs(ctx.db, overview.repo),
  ]);
  return {
    overview,
    revision: revision.name || overview.repo.defaultBranch,
    commitOid: revision.commitOid,
    branch: revision.ref?.startsWith('refs/heads/') ? revision.ref.slice('refs/heads/'.length) : null,
    path: path.replace(/^\/+|\/+$/g, ''),
    branches: refs.branches.slice(0, MAX_REFS_SHOWN).map((branch) => branch.name),
    tags: refs.tags.slice(0, MAX_REFS_SHOWN).map((tag) => tag.name),
  };
}

/** The commit that last changed what lies at `path`, or null for the root of an empty repo. */
export async function lastCommitOf(
  ctx: Ctx,
  repo: Repo,
  commitOid: CommitSummary['oid'],
  path: string,
): Promise<CommitSummary | null> {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const found = await lastCommits(ctx.db, repo, commitOid, slash < 0 ? '' : path.slice(0, slash), [name]);
  return found.get(name) ?? null;
}
