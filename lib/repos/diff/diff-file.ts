import type { Db } from '#lib/base/db.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { readBlobFacts } from '../describe-entries.ts';
import { entryNotFound, findEntry } from '../find-entry.ts';
import { EMPTY_TREE_OID, MODE } from '../git/tree.ts';
import type { Repo, RepoRef } from '../types.ts';
import { inDiffThread } from './diff-threads.ts';
import { readBlobs } from './read-blobs.ts';
import { readText } from './read-text.ts';
import { resolveRange } from './resolve-range.ts';
import { MAX_TEXT_BYTES } from './text-limits.ts';
import type { ChangedFile, FileDiff, FileDiffView, FileSide, Hunk, Range } from './types.ts';

const MAX_LINES = 10_000;
const MAX_CONTEXT = 100_000;

export interface FileDiffRequest {
  /** The path in head; the one in base for a file that head has not. */
  readonly path: string;
  /** The path in base of a file that was renamed. */
  readonly oldPath?: string | null;
  /** Unchanged lines around each change; default 3, at most 100,000 (the whole file). */
  readonly context?: number;
}

async function findSide(db: Db, repo: Repo, tree: Oid | null, path: string): Promise<FileSide | null> {
  const line = tree === null ? null : await findEntry(db, repo.id, tree, path);
  if (line === null || line.mode === MODE.directory) return null;
  const { oid, mode } = line;
  if (mode === MODE.submodule) return { oid, mode, sizeBytes: 0, lfs: null };
  const fact = (await readBlobFacts(db, repo.id, [oid])).get(oid);
  const lfs = fact?.lfs ?? null;
  return { oid, mode, sizeBytes: lfs?.sizeBytes ?? fact?.sizeBytes ?? 0, lfs };
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

function kindOf(
  before: FileSide | null,
  after: FileSide | null,
  oldPath: string | null,
): ChangedFile['kind'] {
  if (before === null) return 'added';
  if (after === null) return 'removed';
  if (oldPath !== null) return 'renamed';
  return before.oid === after.oid ? 'mode' : 'modified';
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
  const { repo, fromTree, toTree, head } = await resolveRange(ctx, ref, range);
  const oldPath = request.oldPath || null;
  const [before, after] = await Promise.all([
    findSide(ctx.db, repo, fromTree, oldPath ?? request.path),
    findSide(ctx.db, repo, toTree, request.path),
  ]);
  if (before === null && after === null) throw entryNotFound(head.commitOid ?? EMPTY_TREE_OID);
  const context = Math.min(Math.max(0, request.context ?? 3), MAX_CONTEXT);
  const view = await viewChange(ctx.db, repo, { before, after }, context);
  const counts = view.kind === 'text' ? view : { additions: null, deletions: null };
  const moved = before !== null && oldPath !== null && oldPath !== request.path ? oldPath : null;
  const file: ChangedFile = {
    path: request.path,
    oldPath: moved,
    kind: kindOf(before, after, moved),
    before,
    after,
    similarity: null,
    additions: counts.additions,
    deletions: counts.deletions,
  };
  return { file, view };
}
