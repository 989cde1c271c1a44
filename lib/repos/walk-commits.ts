import type { Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { type CommitNode, selectChain } from './commits-db.ts';

const CHUNK = 500;

/**
 * All commits reachable from `start`, newest first and never a parent before a child that leads to it: the order
 * of `git log`. Reads a few hundred at a time, only as far as it is followed.
 */
export async function* walkCommits(db: Queryable, repoId: RepoId, start: Oid): AsyncGenerator<CommitNode> {
  const known = new Map<Oid, CommitNode>();
  const seen = new Set<Oid>([start]);
  const open: Oid[] = [start]; // at most as many as there are branches side by side
  const load = async (oid: Oid): Promise<CommitNode> => {
    if (!known.has(oid))
      for (const node of await selectChain(db, repoId, oid, CHUNK)) known.set(node.oid, node);
    const node = known.get(oid);
    if (node === undefined) throw new Error(`commit ${oid} of repo ${repoId} is missing`);
    return node;
  };
  while (open.length > 0) {
    const nodes = await Promise.all(open.map(load));
    const newest = nodes.reduce((a, b) => (b.authoredAt > a.authoredAt ? b : a));
    open.splice(open.indexOf(newest.oid), 1);
    known.delete(newest.oid);
    yield newest;
    for (const parent of newest.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      open.push(parent);
    }
  }
}
