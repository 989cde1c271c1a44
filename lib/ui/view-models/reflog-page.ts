import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from '#lib/repos/access.ts';
import { selectSummaries } from '#lib/repos/commits-db.ts';
import { selectRefs } from '#lib/repos/db.ts';
import { listReflog, type ReflogEntry } from '#lib/repos/list-reflog.ts';
import type { CommitSummary, RepoRef } from '#lib/repos/types.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

const MAX_ENTRIES = 100;

export interface ReflogPage {
  readonly overview: RepoOverview;
  readonly branch: string;
  /** Where it is now; null: it is deleted. */
  readonly now: Oid | null;
  readonly entries: readonly (ReflogEntry & { readonly commit: CommitSummary | null })[];
}

/** The latest hundred moves of a branch, for who may set it back. Throws repo_not_found, forbidden. */
export async function reflogPage(ctx: Ctx, ref: RepoRef, branch: string): Promise<ReflogPage> {
  const repo = await requireWrite(ctx, ref);
  const name = `refs/heads/${branch}`;
  const [overview, entries, refs] = await Promise.all([
    repoOverview(ctx, ref),
    listReflog(ctx.db, repo.id, name, { limit: MAX_ENTRIES }),
    selectRefs(ctx.db, repo.id, [name]),
  ]);
  const oids = entries.flatMap((entry) => entry.newOid ?? []);
  const commits = await selectSummaries(ctx.db, repo.id, [...new Set(oids)]);
  return {
    overview,
    branch,
    now: refs[0]?.oid ?? null,
    entries: entries.map((entry) => ({
      ...entry,
      commit: (entry.newOid && commits.get(entry.newOid)) || null,
    })),
  };
}
