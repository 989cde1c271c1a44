import type { Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { selectReachable } from './commits-db.ts';
import { selectRoots } from './db.ts';
import { selectObjects } from './git/db.ts';
import { decodeObject, KIND } from './git/objects.ts';
import { EMPTY_TREE_OID, MODE, parseTree } from './git/tree.ts';

/** Where a history begins, and under which name. */
export interface HistoryStart {
  readonly ref: string | null;
  readonly commitOid: Oid;
}

/** One place where a blob stands. */
export interface BlobPlace {
  readonly oid: Oid;
  readonly path: string;
  /** The start whose newest tree or history has it. */
  readonly ref: string | null;
}

interface OpenTree {
  readonly oid: Oid;
  readonly path: string;
  readonly ref: string | null;
}

const TREES_AT_ONCE = 256;
const COMMITS_AT_ONCE = 128;

/** Looks for blobs in trees, each distinct tree once, however many commits share it. */
class BlobSearch {
  readonly found = new Map<Oid, BlobPlace>();
  readonly #seen = new Set<Oid>([EMPTY_TREE_OID]);
  readonly #db: Queryable;
  readonly #repoId: RepoId;
  readonly #wanted: ReadonlySet<Oid>;
  readonly #first: boolean;

  constructor(db: Queryable, repoId: RepoId, wanted: ReadonlySet<Oid>, first: boolean) {
    this.#db = db;
    this.#repoId = repoId;
    this.#wanted = wanted;
    this.#first = first;
  }

  get isDone(): boolean {
    return this.found.size === this.#wanted.size || (this.#first && this.found.size > 0);
  }

  /** Looks through these roots and what is below them and was not seen before: one query per 256 trees. */
  async look(roots: readonly OpenTree[]): Promise<void> {
    let level = this.#unseen(roots);
    while (level.length > 0 && !this.isDone) {
      const below: OpenTree[] = [];
      for (let at = 0; at < level.length && !this.isDone; at += TREES_AT_ONCE)
        await this.#read(level.slice(at, at + TREES_AT_ONCE), below);
      level = this.#unseen(below);
    }
  }

  #unseen(trees: readonly OpenTree[]): OpenTree[] {
    return trees.filter(({ oid }) => !this.#seen.has(oid) && this.#seen.add(oid));
  }

  async #read(batch: readonly OpenTree[], below: OpenTree[]): Promise<void> {
    const oids = batch.map(({ oid }) => oid);
    const objects = await selectObjects(this.#db, this.#repoId, oids);
    for (const { oid, path, ref } of batch) {
      const object = objects.get(oid);
      if (object?.kind !== KIND.tree) throw new Error(`tree ${oid} of repo ${this.#repoId} is missing`);
      for (const line of parseTree(await decodeObject(object))) {
        const place = path === '' ? line.name : `${path}/${line.name}`;
        if (line.mode === MODE.directory) {
          if (!this.#seen.has(line.oid)) below.push({ oid: line.oid, path: place, ref });
        } else if (this.#wanted.has(line.oid) && !this.found.has(line.oid))
          this.found.set(line.oid, { oid: line.oid, path: place, ref });
      }
    }
  }
}

/**
 * For each of `wanted` one place in the histories of `starts`: in the newest tree of the first start that has it,
 * else in the newest commit. Blobs that no history has are left out. With `first` it ends at the first one found.
 * The newest trees are looked through first; older ones only for what they lack. Reads each distinct tree once, one
 * query per 256 of them; memory grows with the number of trees (an oid each), not with their size.
 */
export async function findBlobs(
  db: Queryable,
  repoId: RepoId,
  starts: readonly HistoryStart[],
  wanted: ReadonlySet<Oid>,
  { first = false }: { first?: boolean } = {},
): Promise<BlobPlace[]> {
  const search = new BlobSearch(db, repoId, wanted, first);
  const refOf = new Map<Oid, string | null>();
  for (const start of starts) if (!refOf.has(start.commitOid)) refOf.set(start.commitOid, start.ref);
  if (wanted.size === 0 || refOf.size === 0) return [];
  const roots = await selectRoots(db, repoId, [...refOf.keys()]);
  for (const [commitOid, ref] of refOf) {
    const oid = roots.get(commitOid);
    if (oid !== undefined) await search.look([{ oid, path: '', ref }]);
  }
  if (search.isDone) return [...search.found.values()];
  const commits = await selectReachable(db, repoId, [...refOf.keys()]);
  for (let at = commits.length; at > 0 && !search.isDone; at -= COMMITS_AT_ONCE) {
    const batch = commits.slice(Math.max(0, at - COMMITS_AT_ONCE), at).toReversed();
    for (const { oid, parents } of batch)
      for (const parent of parents) if (!refOf.has(parent)) refOf.set(parent, refOf.get(oid) ?? null);
    await search.look(
      batch.map(({ oid, treeOid }) => ({ oid: treeOid, path: '', ref: refOf.get(oid) ?? null })),
    );
  }
  return [...search.found.values()];
}
