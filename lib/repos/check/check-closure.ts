import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { parseCommit, parseTag } from '../git/commit.ts';
import { selectBlobFacts, selectObjects } from '../git/db.ts';
import { parsePointer } from '../git/lfs-pointer.ts';
import { decodeObject, KIND, type Kind, type StoredGitObject } from '../git/objects.ts';
import type { BlobFacts } from '../git/oid-cache.ts';
import { EMPTY_TREE_OID, MODE, parseTree } from '../git/tree.ts';
import type { FindingCode, Fix } from './finding.ts';
import { fixCommits, fixPointer } from './fix-derived.ts';

const BATCH_OBJECTS = 500;
const BATCH_BYTES = 32 * 1024 * 1024;

/** What is wrong with an object of a repo. */
export interface GitProblem {
  readonly code: FindingCode;
  readonly text: string;
  readonly fix: Fix | null;
}

export interface Closure {
  readonly problems: GitProblem[];
  readonly objects: number;
  /** Large files that reachable pointers name, with their stated sizes and one path-less witness. */
  readonly pointers: Map<Sha256, { sizeBytes: number; blob: Oid }>;
}

/** Objects still to be looked at, by the kind that what points to them says they have. */
class Frontier {
  readonly #seen = new Set<string>();
  readonly #queue: { oid: Oid; kind: Kind | null }[] = [];

  add(oid: Oid, kind: Kind | null): void {
    const key = `${kind}:${oid}`;
    if (this.#seen.has(key) || (kind === KIND.tree && oid === EMPTY_TREE_OID)) return;
    this.#seen.add(key);
    this.#queue.push({ oid, kind });
  }

  take(): Map<Oid, Kind | null> {
    return new Map(this.#queue.splice(0, BATCH_OBJECTS).map(({ oid, kind }) => [oid, kind]));
  }

  get size(): number {
    return this.#seen.size;
  }
}

/** Cuts oids into batches whose contents fit in memory together. */
function* bySize(sizes: ReadonlyMap<Oid, { sizeBytes: number }>): Generator<Oid[]> {
  let batch: Oid[] = [];
  let bytes = 0;
  for (const [oid, { sizeBytes }] of sizes) {
    batch.push(oid);
    bytes += sizeBytes;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** What the commit index says of these commits: tree and parents, joined. */
async function selectIndexed(
  db: Queryable,
  repoId: RepoId,
  objects: Iterable<StoredGitObject>,
): Promise<Map<Oid, string>> {
  const commits = [...objects].filter((object) => object.kind === KIND.commit);
  if (commits.length === 0) return new Map();
  const { rows } = await db.query<{ oid: Buffer; tree_oid: Buffer; parents: Buffer[] }>(
    'SELECT oid, tree_oid, parents FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    [repoId, commits.map((commit) => bytesOf(commit.oid))],
  );
  return new Map(
    rows.map((row): [Oid, string] => [
      hexOf<Oid>(row.oid),
      [row.tree_oid, ...row.parents].map((oid) => hexOf(oid)).join(),
    ]),
  );
}

/** What a batch is checked against, and where its findings go. */
interface Walk {
  readonly app: Pick<App, 'db' | 'queue'>;
  readonly repoId: RepoId;
  readonly frontier: Frontier;
  readonly facts: ReadonlyMap<Oid, BlobFacts>;
  readonly indexed: ReadonlyMap<Oid, string>;
  readonly pointers: Closure['pointers'];
}

/** Follows one object: what it points to goes to the frontier, what is wrong with it comes back. */
async function checkObject(object: StoredGitObject, walk: Walk): Promise<GitProblem | null> {
  const { oid, kind } = object;
  const { frontier } = walk;
  const content = await decodeObject(object);
  if (kind === KIND.commit) {
    const commit = parseCommit(content);
    frontier.add(commit.tree, KIND.tree);
    for (const parent of commit.parents) frontier.add(parent, KIND.commit);
    const isIndexed = walk.indexed.get(oid) === [commit.tree, ...commit.parents].join();
    if (isIndexed) return null;
    const text = `commit ${oid} is not in the commit index as it is`;
    return { code: 'commit-unindexed', text, fix: fixCommits(walk.app, walk.repoId) };
  }
  if (kind === KIND.tag) frontier.add(parseTag(content).object, null);
  if (kind === KIND.tree)
    for (const line of parseTree(content))
      if (line.mode !== MODE.submodule)
        frontier.add(line.oid, line.mode === MODE.directory ? KIND.tree : KIND.blob);
  if (kind !== KIND.blob) return null;
  const pointer = parsePointer(content);
  const stated = walk.facts.get(oid)?.lfs ?? null;
  if (pointer) walk.pointers.set(pointer.sha256, { sizeBytes: pointer.sizeBytes, blob: oid });
  if (pointer?.sha256 === stated?.sha256 && pointer?.sizeBytes === stated?.sizeBytes) return null;
  const text = `blob ${oid}: the row and the content disagree on whether it is a pointer, and to what`;
  return { code: 'pointer-misread', text, fix: fixPointer(walk.app, walk.repoId, oid, pointer) };
}

/**
 * Walks everything that `starts` reach in a repo and reads every object: missing ones, ones of another kind than
 * they are used as, damaged ones (inflate, size, hash), commits that the index does not have, pointers that their
 * rows deny. Memory: one entry per object plus 32 MiB.
 */
export async function checkClosure(
  app: Pick<App, 'db' | 'queue'>,
  repoId: RepoId,
  starts: readonly Oid[],
): Promise<Closure> {
  const { db } = app;
  const frontier = new Frontier();
  const problems: GitProblem[] = [];
  const add = (code: FindingCode, text: string) => problems.push({ code, text, fix: null });
  const pointers: Closure['pointers'] = new Map();
  for (const oid of starts) frontier.add(oid, null);
  for (let wanted = frontier.take(); wanted.size > 0; wanted = frontier.take()) {
    const facts = await selectBlobFacts(db, repoId, [...wanted.keys()]);
    for (const oid of wanted.keys())
      if (!facts.has(oid)) add('git-object-missing', `object ${oid} is missing`);
    for (const batch of bySize(facts)) {
      const objects = await selectObjects(db, repoId, batch);
      const indexed = await selectIndexed(db, repoId, objects.values());
      for (const [oid, object] of objects) {
        const kind = wanted.get(oid) ?? null;
        if (kind !== null && kind !== object.kind)
          add('git-object-damaged', `object ${oid} is of the wrong kind`);
        const walk = { app, repoId, frontier, facts, indexed, pointers };
        const problem = await checkObject(object, walk).catch(
          (error: Error): GitProblem => ({
            code: 'git-object-damaged',
            text: `object ${oid}: ${error.message}`,
            fix: null,
          }),
        );
        if (problem !== null) problems.push(problem);
      }
    }
  }
  return { problems, objects: frontier.size, pointers };
}
