import type { Db, Queryable } from '#lib/base/db.ts';
import { hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { type CommitNode, selectReachable } from '../commits-db.ts';
import { readTrees } from '../git/read-trees.ts';
import { EMPTY_TREE_OID, MODE } from '../git/tree.ts';
import { listRefs } from '../list-refs.ts';
import type { Repo } from '../types.ts';

/** Refs are told apart by the bits of a number; the last bit stands for all further ones. */
const MAX_REFS = 30;
const MAX_COMMITS = 50_000;
const COMMITS_AT_ONCE = 128;

/** A large file that the history of some ref names. */
export interface ReachedFile {
  /** Number of the commit that brought it first, in `commits`. */
  readonly commit: number;
  /** Where it stood last. */
  path: string;
  /** Bit i: ref i reaches it. */
  refs: number;
}

export interface Reach {
  /** Full names, the default branch first. */
  readonly refs: readonly string[];
  /** Parents before children. */
  readonly commits: readonly CommitNode[];
  readonly files: ReadonlyMap<Sha256, ReachedFile>;
  /** Those that the newest commit of some ref holds. */
  readonly inHeads: ReadonlySet<Sha256>;
  readonly isComplete: boolean;
}

async function selectPointers(db: Queryable, repoId: RepoId): Promise<Map<Oid, Sha256>> {
  const { rows } = await db.query<{ oid: Buffer; lfs_sha256: Buffer }>(
    'SELECT oid, lfs_sha256 FROM git_object WHERE repo_id = $1 AND lfs_sha256 IS NOT NULL',
    [repoId],
  );
  return new Map(rows.map((row) => [hexOf<Oid>(row.oid), hexOf<Sha256>(row.lfs_sha256)]));
}

async function isLong(db: Queryable, repoId: RepoId): Promise<boolean> {
  const { rows } = await db.query('SELECT 1 FROM commit_index WHERE repo_id = $1 OFFSET $2 LIMIT 1', [
    repoId,
    MAX_COMMITS,
  ]);
  return rows.length > 0;
}

/** Which refs reach each commit, as bits. Children hand theirs to their parents. */
function refBits(commits: readonly CommitNode[], heads: readonly Oid[]): Map<Oid, number> {
  const bits = new Map<Oid, number>();
  const add = (oid: Oid, mask: number) => bits.set(oid, (bits.get(oid) ?? 0) | mask);
  heads.forEach((oid, i) => add(oid, 1 << Math.min(i, MAX_REFS)));
  for (let i = commits.length - 1; i >= 0; i--) {
    const { oid, parents } = commits[i] as CommitNode;
    for (const parent of parents) add(parent, bits.get(oid) ?? 0);
  }
  return bits;
}

/** Walks trees of commits in order; a tree is gone through again only for refs that did not reach it before. */
class Walk {
  readonly files = new Map<Sha256, ReachedFile>();
  readonly #seen = new Map<Oid, number>();
  readonly #db: Db;
  readonly #repoId: RepoId;
  readonly #pointers: ReadonlyMap<Oid, Sha256>;

  constructor(db: Db, repoId: RepoId, pointers: ReadonlyMap<Oid, Sha256>) {
    this.#db = db;
    this.#repoId = repoId;
    this.#pointers = pointers;
  }

  async visit(commit: number, root: Oid, refs: number): Promise<void> {
    let level = [{ oid: root, path: '' }].filter(({ oid }) => this.#isNew(oid, refs));
    while (level.length > 0) {
      const trees = await readTrees(
        this.#db,
        this.#repoId,
        level.map(({ oid }) => oid),
      );
      const below: typeof level = [];
      for (const { oid, path } of level)
        for (const line of trees.get(oid)?.lines ?? []) {
          const place = path === '' ? line.name : `${path}/${line.name}`;
          if (line.mode !== MODE.directory) this.#note(line.oid, place, commit, refs);
          else if (this.#isNew(line.oid, refs)) below.push({ oid: line.oid, path: place });
        }
      level = below;
    }
  }

  #isNew(oid: Oid, refs: number): boolean {
    const before = this.#seen.get(oid) ?? 0;
    if (oid === EMPTY_TREE_OID || (refs & ~before) === 0) return false;
    this.#seen.set(oid, before | refs);
    return true;
  }

  #note(oid: Oid, path: string, commit: number, refs: number): void {
    const sha256 = this.#pointers.get(oid);
    if (sha256 === undefined) return;
    const known = this.files.get(sha256);
    if (known === undefined) this.files.set(sha256, { commit, path, refs });
    else {
      known.refs |= refs;
      known.path = path;
    }
  }
}

/**
 * Which large files the refs of a repo reach, since which commit, and where they stood last. Reads every distinct tree
 * of all histories, up to 50,000 commits (then nothing, and `isComplete` is false); refs beyond 30 count as one.
 */
export async function reachFiles(db: Db, repo: Repo): Promise<Reach> {
  const { branches, tags, converts, pullRequests } = await listRefs(db, repo);
  const all = [...branches, ...tags, ...converts, ...pullRequests];
  const refs = all.slice(0, MAX_REFS).map((ref) => ref.ref);
  const isComplete = all.length <= MAX_REFS;
  const pointers = await selectPointers(db, repo.id);
  const nothing = { refs, commits: [], files: new Map(), inHeads: new Set<Sha256>() };
  if (pointers.size === 0) return { ...nothing, isComplete };
  if (await isLong(db, repo.id)) return { ...nothing, isComplete: false };
  const heads = all.map((ref) => ref.targetCommit);
  const commits = await selectReachable(db, repo.id, [...new Set(heads)]);
  const bits = refBits(commits, heads);
  const walk = new Walk(db, repo.id, pointers);
  for (let at = 0; at < commits.length; at += COMMITS_AT_ONCE) {
    const batch = commits.slice(at, at + COMMITS_AT_ONCE);
    await readTrees(
      db,
      repo.id,
      batch.map(({ treeOid }) => treeOid),
    ); // remembered: one query instead of 128
    for (const [i, { oid, treeOid }] of batch.entries())
      await walk.visit(at + i, treeOid, bits.get(oid) ?? 0);
  }
  const newest = new Walk(db, repo.id, pointers);
  const isHead = new Set(heads);
  for (const { oid, treeOid } of commits) if (isHead.has(oid)) await newest.visit(0, treeOid, 1);
  return { refs, commits, files: walk.files, inHeads: new Set(newest.files.keys()), isComplete };
}
