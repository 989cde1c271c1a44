import type { Db } from '#lib/base/db.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { readBlobFacts } from '../describe-entries.ts';
import { entryNotFound, findEntry } from '../find-entry.ts';
import { EMPTY_TREE_OID, MODE } from '../git/tree.ts';
import type { Repo, RepoRef } from '../types.ts';
import { resolveRange } from './resolve-range.ts';
import type { ChangedFile, FileSide, Range } from './types.ts';

/** Which file of a comparison. */
export interface FilePaths {
  /** The path in head; the one in base for a file that head has not. */
  readonly path: string;
  /** The path in base of a file that was renamed. */
  readonly oldPath?: string | null;
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
 * One file of a comparison with both its sides, without comparing the rest. A file that does not differ is of kind
 * `mode`. Throws repo_not_found, revision_not_found, and entry_not_found when neither side has the path.
 */
export async function findChange(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  ref: RepoRef,
  range: Range,
  { path, oldPath = null }: FilePaths,
): Promise<{ repo: Repo; file: ChangedFile }> {
  const { repo, fromTree, toTree, head } = await resolveRange(ctx, ref, range);
  const [before, after] = await Promise.all([
    findSide(ctx.db, repo, fromTree, oldPath || path),
    findSide(ctx.db, repo, toTree, path),
  ]);
  if (before === null && after === null) throw entryNotFound(head.commitOid ?? EMPTY_TREE_OID);
  const moved = before !== null && oldPath && oldPath !== path ? oldPath : null;
  const kind = kindOf(before, after, moved);
  const unknown = { similarity: null, additions: null, deletions: null };
  return { repo, file: { path, oldPath: moved, kind, before, after, ...unknown } };
}
