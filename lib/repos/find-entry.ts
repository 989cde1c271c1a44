import type { Db } from '#lib/base/db.ts';
import { type HubError, hubError } from '#lib/base/errors.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { readTree } from './git/read-trees.ts';
import { MODE, type TreeLine } from './git/tree.ts';

/** The error for a path that is not in a commit, in the Hub's words; clients cache it by the commit's oid. */
export function entryNotFound(commitOid: Oid): HubError {
  return hubError('entry_not_found', 'Entry not found', { details: { commitOid } });
}

/**
 * The tree line at `path` below `rootOid`, or null. Only exact paths are found: no empty, `.` or `..` segment
 * ever matches. The empty path is the root itself. One query per level, none for trees that are remembered.
 */
export async function findEntry(
  db: Db,
  repoId: RepoId,
  rootOid: Oid,
  path: string,
): Promise<TreeLine | null> {
  let line: TreeLine = { mode: MODE.directory, name: '', oid: rootOid };
  if (path === '') return line;
  for (const name of path.split('/')) {
    if (line.mode !== MODE.directory) return null;
    const next = (await readTree(db, repoId, line.oid)).byName.get(name);
    if (next === undefined) return null;
    line = next;
  }
  return line;
}
