import { isHubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { readTrees } from '../git/read-trees.ts';
import { EMPTY_TREE_OID } from '../git/tree.ts';
import { readRoot, resolveRevision } from '../resolve-revision.ts';
import type { Repo } from '../types.ts';
import { WorkingTree } from '../working-tree.ts';

function refusalOf(deed: () => void): string | null {
  try {
    deed();
    return null;
  } catch (error) {
    if (isHubError(error)) return error.message;
    throw error;
  }
}

/**
 * Which of these files a commit on `revision` would refuse for what is there, with the reason for people: a folder in
 * the place of the file, a file in the place of one of its folders, a folder that would hold too many. Found by the
 * same tree that a commit is planned on; one read per level of folders. Throws revision_not_found.
 */
export async function findClashes(
  ctx: Pick<Ctx, 'db'>,
  repo: Repo,
  revision: string,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const { commitOid } = await resolveRevision(ctx.db, repo, revision);
  const root: Oid = await readRoot(ctx.db, repo.id, commitOid);
  const tree = await WorkingTree.open(root, paths, (oids) => readTrees(ctx.db, repo.id, oids));
  const clashes = new Map<string, string>();
  const look = (path: string, deed: () => void) => {
    const reason = clashes.has(path) ? null : refusalOf(deed);
    if (reason !== null) clashes.set(path, reason);
  };
  for (const path of paths) look(path, () => tree.put(path, EMPTY_TREE_OID)); // never written
  for (const path of paths) look(path, () => tree.checkRoom(path));
  return clashes;
}
