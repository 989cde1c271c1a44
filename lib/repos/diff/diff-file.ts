import type { Db } from '#lib/base/db.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { MODE } from '../git/tree.ts';
import type { Repo, RepoRef } from '../types.ts';
import { inDiffThread } from './diff-threads.ts';
import { type FilePaths, findChange } from './find-change.ts';
import { readBlobs } from './read-blobs.ts';
import { readText } from './read-text.ts';
import { MAX_TEXT_BYTES } from './text-limits.ts';
import type { ChangedFile, FileDiff, FileDiffView, FileSide, Hunk, Range } from './types.ts';

const MAX_LINES = 10_000;
const MAX_CONTEXT = 100_000;

export interface FileDiffRequest extends FilePaths {
  /** Unchanged lines around each change; default 3, at most 100,000 (the whole file). */
  readonly context?: number;
}

/** The first lines of the hunks, `limit` of them. */
function cutHunks(hunks: readonly Hunk[], limit: number): { hunks: Hunk[]; isCut: boolean } {
  let left = limit;
  const kept: Hunk[] = [];
  for (const hunk of hunks) {
    if (left <= 0) return { hunks: kept, isCut: true };
    kept.push(hunk.lines.length <= left ? hunk : { ...hunk, lines: hunk.lines.slice(0, left) });
    left -= hunk.lines.length;
  }
  return { hunks: kept, isCut: left < 0 };
}

/** How the change of a file whose two sides are known can be shown; see diffFile. */
export async function viewChange(
  db: Db,
  repo: Repo,
  { before, after }: Pick<ChangedFile, 'before' | 'after'>,
  context: number,
): Promise<FileDiffView> {
  const sides = [before, after].filter((side) => side !== null);
  if (sides.length === 2 && before?.oid === after?.oid) return { kind: 'same' };
  if (sides.some((side) => side.mode === MODE.submodule)) return { kind: 'submodule' };
  if (sides.some((side) => side.lfs !== null)) return { kind: 'lfs' };
  if (sides.some((side) => side.sizeBytes > MAX_TEXT_BYTES))
    return { kind: 'tooLarge', limitBytes: MAX_TEXT_BYTES };
  const contents = await readBlobs(
    db,
    repo.id,
    sides.map((side) => side.oid),
  );
  const textOf = (side: FileSide | null) => (side === null ? '' : readText(contents.get(side.oid) as Buffer));
  const [old, now] = [textOf(before), textOf(after)];
  if (old === null || now === null) return { kind: 'binary' };
  const answer = await inDiffThread({ kind: 'text', before: old, after: now, context, withRanges: true });
  if (answer === null) return { kind: 'failed' };
  return { kind: 'text', ...answer.diff, ...cutHunks(answer.diff.hunks, MAX_LINES) };
}

/**
 * How one file differs between two revisions: hunks for text up to 1 MiB a side (10,000 lines are given), else what
 * kind of content it is. A file that does not differ is of kind `mode` with the view `same`. The comparing runs in a
 * thread with a time limit. Throws repo_not_found, revision_not_found, and entry_not_found when neither side has the
 * path.
 */
export async function diffFile(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  ref: RepoRef,
  range: Range,
  request: FileDiffRequest,
): Promise<FileDiff> {
  const { repo, file } = await findChange(ctx, ref, range, request);
  const context = Math.min(Math.max(0, request.context ?? 3), MAX_CONTEXT);
  const view = await viewChange(ctx.db, repo, file, context);
  if (view.kind !== 'text') return { file, view };
  return { file: { ...file, additions: view.additions, deletions: view.deletions }, view };
}
