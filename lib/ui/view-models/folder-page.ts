import type { Ctx } from '#lib/identity/context.ts';
import { lastCommits } from '#lib/repos/last-commits.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import type { CommitSummary, RepoRef, TreeEntry } from '#lib/repos/types.ts';
import { type Card, readCard } from './card.ts';
import { lastCommitOf, type PlaceInRepo, placeInRepo } from './place-in-repo.ts';

const PAGE_SIZE = 200;

export interface FolderLine {
  readonly entry: TreeEntry;
  /** Last segment of the path. */
  readonly name: string;
  readonly lastCommit: CommitSummary | null;
}

export interface FolderPage {
  readonly place: PlaceInRepo;
  /** Folders first, then files, each by name. */
  readonly lines: readonly FolderLine[];
  /** Continues the listing, or null on the last page. */
  readonly next: string | null;
  readonly lastCommit: CommitSummary | null;
  /** The folder's own README. */
  readonly card: Card | null;
}

/** One page of a folder with the last commit of each entry. Throws what a missing folder is. */
export async function folderPage(
  ctx: Ctx,
  ref: RepoRef,
  rawTail: string,
  after: string | undefined,
): Promise<FolderPage> {
  const place = await placeInRepo(ctx, ref, rawTail);
  const { repo } = place.overview;
  const { entries, next } = await listTree(ctx, repo, place.commitOid, place.path, {
    recursive: false,
    limit: PAGE_SIZE,
    ...(after !== undefined && { after }),
  });
  const nameOf = (entry: TreeEntry) => entry.path.slice(place.path === '' ? 0 : place.path.length + 1);
  const [commits, lastCommit, card] = await Promise.all([
    lastCommits(ctx.db, repo, place.commitOid, place.path, entries.map(nameOf)),
    lastCommitHere(ctx, place),
    readCard(ctx, repo, entries),
  ]);
  const lines = entries.map((entry) => {
    const name = nameOf(entry);
    return { entry, name, lastCommit: commits.get(name) ?? null };
  });
  const rank = (line: FolderLine) => (line.entry.type === 'directory' ? 0 : 1);
  lines.sort((a, b) => rank(a) - rank(b));
  return { place, lines, next, lastCommit, card };
}

async function lastCommitHere(
  ctx: Ctx,
  { overview, commitOid, path }: PlaceInRepo,
): Promise<CommitSummary | null> {
  if (path !== '') return lastCommitOf(ctx, overview.repo, commitOid, path);
  const { commits } = await listCommits(ctx.db, overview.repo, commitOid, { page: 0, limit: 1 });
  return commits[0] ?? null;
}
