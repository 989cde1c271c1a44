import type { Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { type CommitNode, selectChain } from './commits-db.ts';

const CHUNK = 500;

/** Never a parent before what leads to it; among equals the newer one first. */
function inWalkOrder(a: CommitNode, b: CommitNode): number {
  const byTime = b.committedAt.getTime() - a.committedAt.getTime();
  return b.generation - a.generation || byTime || (a.oid < b.oid ? -1 : 1);
}

/** The open ends of a walk, latest first. At most as many as there are branches side by side. */
class Ends {
  readonly #nodes: CommitNode[] = [];

  add(node: CommitNode): void {
    let at = this.#nodes.length;
    while (at > 0 && inWalkOrder(node, this.#nodes[at - 1] as CommitNode) < 0) at--;
    this.#nodes.splice(at, 0, node);
  }

  take(): CommitNode | undefined {
    return this.#nodes.shift();
  }

  [Symbol.iterator](): Iterator<CommitNode> {
    return this.#nodes.values();
  }
}

/** Reads commits by oid, each once, a few hundred first parents at a time. */
function createLoader(db: Queryable, repoId: RepoId): (oid: Oid) => Promise<CommitNode> {
  const known = new Map<Oid, CommitNode>();
  return async (oid) => {
    if (!known.has(oid))
      for (const node of await selectChain(db, repoId, oid, CHUNK)) known.set(node.oid, node);
    const node = known.get(oid);
    if (node === undefined) throw new Error(`commit ${oid} of repo ${repoId} is missing`);
    known.delete(oid);
    return node;
  };
}

/**
 * All commits reachable from `start`, newest first and never a parent before a child that leads to it, whatever the
 * dates say. Reads a few hundred at a time, only as far as it is followed.
 */
export async function* walkCommits(db: Queryable, repoId: RepoId, start: Oid): AsyncGenerator<CommitNode> {
  const load = createLoader(db, repoId);
  const seen = new Set<Oid>([start]);
  const ends = new Ends();
  ends.add(await load(start));
  for (let node = ends.take(); node !== undefined; node = ends.take()) {
    yield node;
    for (const parent of node.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      ends.add(await load(parent));
    }
  }
}

/** On which side of a comparison a commit lies. */
export type Side = 'left' | 'right' | 'both';

/**
 * The commits of two histories, those that only one of them has and the newest that they share, in the order of
 * walkCommits. Ends as soon as nothing is left that only one side has: of the shared history only the top is walked.
 */
export async function* walkApart(
  db: Queryable,
  repoId: RepoId,
  left: Oid,
  right: Oid,
): AsyncGenerator<CommitNode & { readonly side: Side }> {
  const load = createLoader(db, repoId);
  const sides = new Map<Oid, Side>();
  const ends = new Ends();
  const reach = async (oid: Oid, side: Side) => {
    const before = sides.get(oid);
    sides.set(oid, before === undefined || before === side ? side : 'both');
    if (before === undefined) ends.add(await load(oid));
  };
  await reach(left, 'left');
  await reach(right, 'right');
  for (let node = ends.take(); node !== undefined; node = ends.take()) {
    const side = sides.get(node.oid) as Side;
    yield { ...node, side };
    if (side === 'both' && [...ends].every(({ oid }) => sides.get(oid) === 'both')) return;
    for (const parent of node.parents) await reach(parent, side);
  }
}

/**
 * The newest commit that both histories have, the base of a three-way merge; null when they share nothing. Where
 * several are equally good (criss-cross merges) it is always the same one.
 */
export async function mergeBase(db: Queryable, repoId: RepoId, left: Oid, right: Oid): Promise<Oid | null> {
  if (left === right) return left;
  for await (const { oid, side } of walkApart(db, repoId, left, right)) if (side === 'both') return oid;
  return null;
}
