import type { Queryable } from '#lib/base/db.ts';
import { hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { parseCommit, parseTag } from '../git/commit.ts';
import { decodeObject, KIND, type Kind } from '../git/objects.ts';
import { EMPTY_TREE_OID, MODE } from '../git/tree.ts';
import { OidList, OidSet } from './oid-set.ts';

const COMMITS_PER_ROW = 10_000;
const TREES_AT_ONCE = 400;
const ROOTS_AT_ONCE = 2000;
const OID_BYTES = 20;

const oidBytes = (oid: Oid) => Buffer.from(oid, 'hex');
/** Digits of modes: 100644, 100755 and 120000 are files, 40000 is a folder; of what is left a string is made. */
const [ONE, FOUR, SIX] = [0x31, 0x34, 0x36];
const EMPTY_TREE = oidBytes(EMPTY_TREE_OID);

/** What is reachable so far, and the trees that still have to be opened. */
export class Reachable {
  readonly oids = new OidSet();
  readonly trees = new OidList();

  /** Notes a tree; it is opened once, however many commits and folders have it. */
  addTree(source: Buffer, at = 0): void {
    if (this.oids.add(source, at)) this.trees.push(source, at);
  }
}

interface ObjectRow {
  oid: Buffer;
  kind: Kind;
  size: number;
  data: Buffer;
}

/**
 * All commits below `starts` and their root trees. Plan: recursion of single probes of commit_index_pkey; ids come ten
 * thousand to a row, since rows of their own would cost more than the walk. Throws when it ends at a parent that is
 * nowhere.
 */
async function addCommits(
  db: Queryable,
  repoId: RepoId,
  starts: readonly Buffer[],
  to: Reachable,
): Promise<void> {
  if (starts.length === 0) return;
  const { rows } = await db.query<{ pairs: Buffer | null; lost: Buffer | null }>(
    `WITH RECURSIVE below AS (
       SELECT oid, tree_oid, parents FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])
       UNION
       SELECT parent, c.tree_oid, c.parents FROM below, unnest(below.parents) AS parent
         LEFT JOIN commit_index c ON c.repo_id = $1 AND c.oid = parent),
     numbered AS (SELECT oid, tree_oid, row_number() OVER () AS nth FROM below)
     SELECT string_agg(oid || tree_oid, ''::bytea) AS pairs,
            (array_agg(oid) FILTER (WHERE tree_oid IS NULL))[1] AS lost
     FROM numbered GROUP BY nth / ${COMMITS_PER_ROW}`,
    [repoId, starts],
  );
  for (const { pairs, lost } of rows) {
    if (lost !== null) throw missing('commit', lost, repoId);
    if (pairs === null) continue;
    for (let at = 0; at < pairs.length; at += 2 * OID_BYTES) {
      to.oids.add(pairs, at);
      to.addTree(pairs, at + OID_BYTES);
    }
  }
}

/** Something that must be there is not: nothing may be concluded from the walk. */
export class MissingObject extends Error {}

const missing = (what: string, oid: Buffer, repoId: RepoId) =>
  new MissingObject(`${what} ${oid.toString('hex')} of repo ${repoId} is missing`);

/** Where a walk begins. */
export interface Root {
  readonly oid: Buffer;
  /** It must be there with all below it; else it may be gone, as what only an old reflog entry knows. */
  readonly isSure: boolean;
}

/** Follows roots that the commit index does not have: tags to what they are of, commits written a moment ago, trees, blobs. */
async function addOther(
  db: Queryable,
  repoId: RepoId,
  open: readonly Root[],
  to: Reachable,
): Promise<Root[]> {
  const { rows } = await db.query<ObjectRow>(
    'SELECT oid, kind, size, data FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    [repoId, open.map(({ oid }) => oid)],
  );
  const next: Root[] = [];
  for (const row of rows) {
    if (row.kind === KIND.tree) to.addTree(row.oid);
    else to.oids.add(row.oid);
    if (row.kind === KIND.tree || row.kind === KIND.blob) continue;
    const { oid, kind, size: sizeBytes, data } = row;
    const content = await decodeObject({ oid: hexOf<Oid>(oid), kind, sizeBytes, data });
    if (kind === KIND.tag) next.push({ oid: oidBytes(parseTag(content).object), isSure: true });
    else {
      const commit = parseCommit(content);
      to.addTree(oidBytes(commit.tree));
      for (const parent of commit.parents) next.push({ oid: oidBytes(parent), isSure: true });
    }
  }
  if (rows.length < open.length) {
    const found = new Set(rows.map((row) => row.oid.toString('hex')));
    const lost = open.find(({ oid, isSure }) => isSure && !found.has(oid.toString('hex')));
    if (lost !== undefined) throw missing('object', lost.oid, repoId);
  }
  return next.filter(({ oid }) => !to.oids.has(oid));
}

async function addRoots(
  db: Queryable,
  repoId: RepoId,
  roots: readonly Root[],
  to: Reachable,
): Promise<Root[]> {
  const { rows } = await db.query<{ oid: Buffer }>(
    'SELECT oid FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    [repoId, roots.map(({ oid }) => oid)],
  );
  const commits = new Set(rows.map(({ oid }) => oid.toString('hex')));
  await addCommits(
    db,
    repoId,
    rows.map(({ oid }) => oid),
    to,
  );
  const others = roots.filter(({ oid }) => !commits.has(oid.toString('hex')));
  return others.length === 0 ? [] : addOther(db, repoId, others, to);
}

/** Notes what a tree holds: folders to open later, files. Submodules lead out of the repo. */
function addEntries(content: Buffer, to: Reachable): void {
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const zero = space < 0 ? -1 : content.indexOf(0, space + 1);
    if (zero < 0 || zero + 1 + OID_BYTES > content.length) throw new Error('not a tree object');
    const digits = space - at;
    const isFile = content[at] === ONE && digits === 6 && content[at + 1] !== SIX;
    const isFolder = content[at] === FOUR && digits === 5;
    const mode = isFile || isFolder ? null : Number.parseInt(content.toString('latin1', at, space), 8);
    if (isFolder || mode === MODE.directory) to.addTree(content, zero + 1);
    else if (mode !== MODE.submodule) to.oids.add(content, zero + 1);
    at = zero + 1 + OID_BYTES;
  }
}

async function openTrees(db: Queryable, repoId: RepoId, to: Reachable, from: number): Promise<number> {
  const batch = to.trees.slice(from, TREES_AT_ONCE);
  const wanted = batch.filter((oid) => !oid.equals(EMPTY_TREE));
  const { rows } = await db.query<ObjectRow>({
    name: 'reclaim-trees',
    text: `SELECT oid, kind, size, data FROM git_object
           WHERE repo_id = $1 AND oid = ANY($2::bytea[]) AND kind = ${KIND.tree}`,
    values: [repoId, wanted],
  });
  if (rows.length < new Set(wanted.map((oid) => oid.toString('hex'))).size) {
    const found = new Set(rows.map((row) => row.oid.toString('hex')));
    throw missing('tree', wanted.find((oid) => !found.has(oid.toString('hex'))) as Buffer, repoId);
  }
  for (const { oid, kind, size: sizeBytes, data } of rows)
    addEntries(await decodeObject({ oid: hexOf<Oid>(oid), kind, sizeBytes, data }), to);
  return batch.length;
}

/**
 * Adds everything that `roots` reach to `to`: commits by the index, each tree once, files by name without reading them.
 * Throws MissingObject when a commit or a tree is missing, except where an unsure root begins: what cannot be read
 * completely proves nothing to be unreachable. Queries: one per 2,000 roots and per 400 trees. Memory: 35 bytes an
 * object and 20 more a tree.
 */
export async function markReachable(
  db: Queryable,
  repoId: RepoId,
  roots: readonly Root[],
  to: Reachable,
): Promise<void> {
  let opened = to.trees.length;
  let open = roots.filter(({ oid }) => !to.oids.has(oid));
  while (open.length > 0) {
    const later = open.slice(ROOTS_AT_ONCE);
    open = [...(await addRoots(db, repoId, open.slice(0, ROOTS_AT_ONCE), to)), ...later];
  }
  while (opened < to.trees.length) opened += await openTrees(db, repoId, to, opened);
}
