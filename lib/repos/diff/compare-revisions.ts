import type { Db } from '#lib/base/db.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { countAncestors, selectSummaries } from '../commits-db.ts';
import type { RepoRef } from '../types.ts';
import { walkApart, walkCommits } from '../walk-commits.ts';
import { countLines } from './count-lines.ts';
import { listChanges } from './list-changes.ts';
import { resolveRange } from './resolve-range.ts';
import type { Comparison, Range, ResolvedRange } from './types.ts';

const MAX_COMMITS = 250;
const MAX_WALKED = 20_000;
const MAX_FILES = 10_000;

type Apart = Pick<Comparison, 'ahead' | 'behind' | 'isCounted' | 'commits'>;

/** Everything up to head: what it is ahead of nothing. */
async function fromNothing(db: Db, { repo, head }: ResolvedRange): Promise<Apart> {
  if (head.commitOid === null) return { ahead: 0, behind: 0, isCounted: true, commits: [] };
  const oids: Oid[] = [];
  for await (const { oid } of walkCommits(db, repo.id, head.commitOid))
    if (oids.push(oid) === MAX_COMMITS) break;
  const summaries = await selectSummaries(db, repo.id, oids);
  const ahead = await countAncestors(db, repo.id, head.commitOid);
  return { ahead, behind: 0, isCounted: true, commits: oids.flatMap((oid) => summaries.get(oid) ?? []) };
}

async function commitsApart(db: Db, range: ResolvedRange): Promise<Apart> {
  const { repo, base, head } = range;
  if (base.commitOid === null || head.commitOid === null) return fromNothing(db, range);
  let [ahead, behind, walked] = [0, 0, 0];
  const oids: Oid[] = [];
  if (base.commitOid !== head.commitOid)
    for await (const { oid, side } of walkApart(db, repo.id, base.commitOid, head.commitOid)) {
      if (side === 'right' && ++ahead <= MAX_COMMITS) oids.push(oid);
      if (side === 'left') behind++;
      if (++walked === MAX_WALKED) break;
    }
  const summaries = await selectSummaries(db, repo.id, oids);
  const commits = oids.flatMap((oid) => summaries.get(oid) ?? []);
  return { ahead, behind, isCounted: walked < MAX_WALKED, commits };
}

/**
 * What differs between two revisions of a repo: commits on either side, changed files with renames, sizes and counted
 * lines. Reads only trees that differ. Bounded: 250 commits and 10,000 files are listed, lines counted for the first
 * 300 small files. Throws repo_not_found, revision_not_found, invalid_input.
 */
export async function compareRevisions(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  ref: RepoRef,
  range: Range,
): Promise<Comparison> {
  const resolved = await resolveRange(ctx, ref, range);
  const [apart, { files, isComplete }] = await Promise.all([
    commitsApart(ctx.db, resolved),
    listChanges(ctx.db, resolved, MAX_FILES),
  ]);
  const counted = await countLines(ctx.db, resolved.repo.id, files);
  return { ...resolved, ...apart, files: counted, isComplete };
}
