import type { Db, Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { type CommitNode, selectReachable } from './commits-db.ts';
import { parseCommit, parseTag } from './git/commit.ts';
import { insertObjects, selectObjects, selectTagObjects } from './git/db.ts';
import { decodeObject, type EncodedObject, encodeObject, KIND, type StoredGitObject } from './git/objects.ts';
import { replaceCommitLinks, replaceTagTarget } from './git/replace-links.ts';
import { type CommitToIndex, indexCommits } from './index-commits.ts';
import { TreeRewriter } from './rewrite-trees.ts';

const COMMITS_AT_ONCE = 128;
const MAX_TAG_DEPTH = 5;

/** Users by commit, for those commits that were made on this hub. */
async function selectUsers(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): Promise<Map<Oid, string | null>> {
  const { rows } = await db.query<{ oid: Buffer; user_id: string | null }>(
    'SELECT oid, user_id FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    [repoId, oids.map(bytesOf)],
  );
  return new Map(rows.map((row) => [hexOf<Oid>(row.oid), row.user_id]));
}

/**
 * Makes histories without certain blobs. What it writes is unreachable until refs are moved to it, so it may be
 * stopped anywhere and used again when refs have moved on: what was done once is remembered. Commits before the first
 * that changes keep their ids. Queries grow with the number of 128-commit batches and 256-tree batches, not with
 * commits or files.
 */
export class HistoryRewriter {
  readonly #commits = new Map<Oid, Oid>();
  readonly #tags = new Map<Oid, Oid>();
  readonly #trees: TreeRewriter;
  readonly #db: Db;
  readonly #repoId: RepoId;

  constructor(db: Db, repoId: RepoId, drop: ReadonlySet<Oid>) {
    this.#db = db;
    this.#repoId = repoId;
    this.#trees = new TreeRewriter(db, repoId, drop);
  }

  /** Where refs at these oids (commits or annotated tags) must move; those that need not are left out. */
  async rewrite(heads: readonly Oid[]): Promise<Map<Oid, Oid>> {
    const open = [...new Set(heads)].filter((oid) => !this.#commits.has(oid) && !this.#tags.has(oid));
    const tags = await this.#readTags(open);
    const starts = [...open, ...[...tags.values()].map(({ target }) => target)];
    const reachable = await selectReachable(this.#db, this.#repoId, starts);
    const commits = reachable.filter(({ oid }) => !this.#commits.has(oid));
    for (let at = 0; at < commits.length; at += COMMITS_AT_ONCE)
      await this.#rewriteBatch(commits.slice(at, at + COMMITS_AT_ONCE));
    const made: EncodedObject[] = [];
    for (const oid of tags.keys()) await this.#rewriteTag(oid, tags, made);
    await insertObjects(this.#db, this.#repoId, made);
    const moved = heads.map((oid): [Oid, Oid] => [oid, this.#commits.get(oid) ?? this.#tags.get(oid) ?? oid]);
    return new Map(moved.filter(([from, to]) => from !== to));
  }

  /** What became of a commit; itself when it stayed or was not looked at. */
  of(oid: Oid): Oid {
    return this.#commits.get(oid) ?? oid;
  }

  async #rewriteBatch(batch: readonly CommitNode[]): Promise<void> {
    const made = await this.#trees.rewrite(batch.map((commit) => commit.treeOid));
    const changed = new Set<Oid>();
    for (const { oid, treeOid, parents } of batch) {
      const isSame =
        this.#trees.of(treeOid) === treeOid &&
        parents.every((parent) => !changed.has(parent) && (this.#commits.get(parent) ?? parent) === parent);
      if (isSame) this.#commits.set(oid, oid);
      else changed.add(oid);
    }
    if (changed.size === 0) return;
    const [objects, users] = await Promise.all([
      selectObjects(this.#db, this.#repoId, [...changed]),
      selectUsers(this.#db, this.#repoId, [...changed]),
    ]);
    const toIndex: CommitToIndex[] = [];
    for (const { oid, treeOid, parents } of batch) {
      if (!changed.has(oid)) continue;
      const object = objects.get(oid);
      if (object === undefined) throw new Error(`commit ${oid} of repo ${this.#repoId} is missing`);
      const newParents = parents.map((parent) => this.#commits.get(parent) as Oid);
      const content = replaceCommitLinks(await decodeObject(object), this.#trees.of(treeOid), newParents);
      const sealed = await encodeObject(KIND.commit, content);
      made.push(sealed);
      toIndex.push({ oid: sealed.oid, commit: parseCommit(content), userId: users.get(oid) ?? null });
      this.#commits.set(oid, sealed.oid);
    }
    await insertObjects(this.#db, this.#repoId, made);
    await indexCommits(this.#db, this.#repoId, toIndex);
  }

  /** The annotated tags among `oids`, and those they lead to. */
  async #readTags(oids: readonly Oid[]): Promise<Map<Oid, { object: StoredGitObject; target: Oid }>> {
    const tags = new Map<Oid, { object: StoredGitObject; target: Oid }>();
    let open = oids;
    for (let depth = 0; depth < MAX_TAG_DEPTH && open.length > 0; depth++) {
      const next: Oid[] = [];
      for (const [oid, object] of await selectTagObjects(this.#db, this.#repoId, open)) {
        const target = parseTag(await decodeObject(object)).object;
        tags.set(oid, { object, target });
        next.push(target);
      }
      open = next;
    }
    return tags;
  }

  async #rewriteTag(
    oid: Oid,
    tags: ReadonlyMap<Oid, { object: StoredGitObject; target: Oid }>,
    made: EncodedObject[],
  ): Promise<Oid> {
    const known = this.#tags.get(oid) ?? this.#commits.get(oid);
    const tag = tags.get(oid);
    if (known !== undefined || tag === undefined) return known ?? oid;
    const target = await this.#rewriteTag(tag.target, tags, made);
    let now = oid;
    if (target !== tag.target) {
      const sealed = await encodeObject(KIND.tag, replaceTagTarget(await decodeObject(tag.object), target));
      made.push(sealed);
      now = sealed.oid;
    }
    this.#tags.set(oid, now);
    return now;
  }
}
