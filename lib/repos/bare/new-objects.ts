import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { parseTag } from '../git/commit.ts';
import { selectObjects } from '../git/db.ts';
import { decodeObject, KIND } from '../git/objects.ts';
import { EMPTY_TREE_OID, MODE, parseTree } from '../git/tree.ts';

/** Of these oids, those that the cache does not have. */
export type MissingAmong = (oids: readonly Oid[]) => Promise<Oid[]>;

const CHUNK = 1000;
const TREES_AT_ONCE = 500;

interface CommitRow {
  oid: Buffer;
  tree_oid: Buffer;
  parents: Buffer[];
}

/** Some commits from `starts` downwards, near ones first. Plan: recursion of single probes of commit_index_pkey. */
async function selectSomeBelow(
  db: Queryable,
  repoId: RepoId,
  starts: readonly Oid[],
): Promise<Map<Oid, { tree: Oid; parents: Oid[] }>> {
  const { rows } = await db.query<CommitRow>({
    name: 'select-some-below',
    text: `WITH RECURSIVE below AS (
             SELECT oid, tree_oid, parents FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])
             UNION
             SELECT c.oid, c.tree_oid, c.parents FROM below, unnest(below.parents) AS parent
               JOIN commit_index c ON c.repo_id = $1 AND c.oid = parent)
           SELECT oid, tree_oid, parents FROM below LIMIT ${CHUNK}`,
    values: [repoId, starts.map(bytesOf)],
  });
  return new Map(
    rows.map((row) => [
      hexOf<Oid>(row.oid),
      { tree: hexOf<Oid>(row.tree_oid), parents: row.parents.map((parent) => hexOf<Oid>(parent)) },
    ]),
  );
}

/** Commits reachable from `tips` that are missing in the cache, and their root trees. */
async function newCommits(
  db: Queryable,
  repoId: RepoId,
  tips: readonly Oid[],
  missingAmong: MissingAmong,
): Promise<{ commits: Set<Oid>; roots: Set<Oid> }> {
  const commits = new Set<Oid>();
  const roots = new Set<Oid>();
  for (let open = [...tips]; open.length > 0; ) {
    const found = await selectSomeBelow(db, repoId, open.slice(0, CHUNK));
    const later = open.slice(CHUNK);
    for (const tip of open.slice(0, CHUNK))
      if (!found.has(tip)) throw new Error(`commit ${tip} of repo ${repoId} is missing`);
    const ends = new Set<Oid>();
    for (const oid of await missingAmong([...found.keys()].filter((oid) => !commits.has(oid)))) {
      const { tree, parents } = found.get(oid) as { tree: Oid; parents: Oid[] };
      commits.add(oid);
      roots.add(tree);
      for (const parent of parents) if (!found.has(parent) && !commits.has(parent)) ends.add(parent);
    }
    open = [...later, ...(await missingAmong([...ends]))];
  }
  return { commits, roots };
}

/** Follows tags to what they are of: the objects on the way (tags, perhaps a blob), and the commits and trees at their ends. */
async function peel(
  db: Queryable,
  repoId: RepoId,
  tips: readonly Oid[],
): Promise<{ single: Set<Oid>; commits: Oid[]; trees: Oid[] }> {
  const single = new Set<Oid>();
  const commits: Oid[] = [];
  const trees: Oid[] = [];
  for (let open = [...new Set(tips)]; open.length > 0; ) {
    const rows = await selectObjects(db, repoId, open);
    const targets: Oid[] = [];
    for (const oid of open) {
      const row = rows.get(oid);
      if (row === undefined) throw new Error(`object ${oid} of repo ${repoId} is missing`);
      if (row.kind === KIND.commit) commits.push(oid);
      else if (row.kind === KIND.tree) trees.push(oid);
      else single.add(oid);
      if (row.kind === KIND.tag) targets.push(parseTag(await decodeObject(row)).object);
    }
    open = targets.filter((oid) => !single.has(oid));
  }
  return { single, commits, trees };
}

/** Trees and blobs below `roots` that are missing in the cache: level by level, two queries a level. */
async function newEntries(
  db: Queryable,
  repoId: RepoId,
  roots: Iterable<Oid>,
  missingAmong: MissingAmong,
): Promise<Set<Oid>> {
  const found = new Set<Oid>();
  let trees = await missingAmong([...roots].filter((oid) => oid !== EMPTY_TREE_OID));
  while (trees.length > 0) {
    for (const tree of trees) found.add(tree);
    const deeper = new Set<Oid>();
    const blobs = new Set<Oid>();
    for (let at = 0; at < trees.length; at += TREES_AT_ONCE) {
      const batch = trees.slice(at, at + TREES_AT_ONCE);
      const rows = await selectObjects(db, repoId, batch);
      if (rows.size < batch.length) throw new Error(`a tree of repo ${repoId} is missing`);
      for (const row of rows.values())
        for (const { mode, oid } of parseTree(await decodeObject(row)))
          if (mode !== MODE.submodule && !found.has(oid) && oid !== EMPTY_TREE_OID)
            (mode === MODE.directory ? deeper : blobs).add(oid);
    }
    for (const blob of await missingAmong([...blobs])) found.add(blob);
    trees = await missingAmong([...deeper]);
  }
  return found;
}

/**
 * All objects reachable from `tips` that the cache does not have. What it has it has with all that is below, so
 * nothing there is looked at. Throws when something is missing in the database.
 */
export async function newObjects(
  db: Queryable,
  repoId: RepoId,
  tips: readonly Oid[],
  missingAmong: MissingAmong,
): Promise<Oid[]> {
  const peeled = await peel(db, repoId, await missingAmong([...new Set(tips)]));
  const { commits, roots } = await newCommits(db, repoId, await missingAmong(peeled.commits), missingAmong);
  const entries = await newEntries(db, repoId, [...roots, ...peeled.trees], missingAmong);
  return [...new Set([...peeled.single, ...commits, ...entries])];
}
