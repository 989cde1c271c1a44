import { type Tx, transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { type CommitNode, selectNodes } from './commits-db.ts';
import { selectObjects } from './git/db.ts';
import { diffRawTrees } from './git/diff-raw-trees.ts';
import { decodeObject, KIND } from './git/objects.ts';
import { EMPTY_TREE_OID } from './git/tree.ts';
import { pathKey } from './path-key.ts';

const COMMITS_AT_ONCE = 128;
const PAIRS_AT_ONCE = 128;
const ROWS_AT_ONCE = 5000;
const NOTHING = Buffer.alloc(0);

/** Two folders at one path, of a commit and of one of its parents. */
interface Pair {
  readonly commit: number;
  readonly parent: number;
  readonly path: string;
  readonly before: Oid | null;
  readonly after: Oid | null;
}

/** Paths in which a commit differs from each of its parents, in their order; a root from nothing. */
type Changes = Set<string>[];

async function nextCommits(app: Pick<App, 'db'>, repoId: RepoId): Promise<CommitNode[]> {
  const { rows } = await app.db.query<{ oid: Buffer }>(
    'SELECT oid FROM commit_index WHERE repo_id = $1 AND NOT has_paths ORDER BY generation, oid LIMIT $2',
    [repoId, COMMITS_AT_ONCE],
  );
  const oids = rows.map((row) => hexOf<Oid>(row.oid));
  const nodes = await selectNodes(app.db, repoId, oids);
  return oids.flatMap((oid) => nodes.get(oid) ?? []);
}

async function readRawTrees(
  app: Pick<App, 'db'>,
  repoId: RepoId,
  oids: ReadonlySet<Oid>,
): Promise<(oid: Oid | null) => Buffer> {
  const objects = await selectObjects(app.db, repoId, [...oids]);
  const trees = new Map<Oid, Buffer>([[EMPTY_TREE_OID, NOTHING]]);
  for (const [oid, object] of objects)
    if (object.kind === KIND.tree) trees.set(oid, await decodeObject(object));
  return (oid) => {
    const tree = oid === null ? NOTHING : trees.get(oid);
    if (tree === undefined) throw new Error(`tree ${oid} of repo ${repoId} is missing`);
    return tree;
  };
}

/** Looks into pairs and what is below them: one query per 128 pairs, equal folders not read. */
async function compare(
  app: Pick<App, 'db'>,
  repoId: RepoId,
  roots: readonly Pair[],
  changes: readonly Changes[],
): Promise<void> {
  let level = roots.filter((pair) => pair.before !== pair.after);
  while (level.length > 0) {
    const below: Pair[] = [];
    for (let at = 0; at < level.length; at += PAIRS_AT_ONCE) {
      const pairs = level.slice(at, at + PAIRS_AT_ONCE);
      const oids = new Set(pairs.flatMap(({ before, after }) => [before ?? [], after ?? []].flat()));
      const read = await readRawTrees(app, repoId, oids);
      for (const { commit, parent, path, before, after } of pairs)
        for (const { name, folderBefore, folderAfter } of diffRawTrees(read(before), read(after))) {
          const place = path === '' ? name : `${path}/${name}`;
          changes[commit]?.[parent]?.add(place);
          if (folderBefore !== folderAfter)
            below.push({
              commit,
              parent,
              path: place,
              before: folderBefore as Oid | null,
              after: folderAfter as Oid | null,
            });
        }
    }
    level = below;
  }
}

interface PathRow {
  readonly key: Buffer;
  readonly commit: CommitNode;
  readonly follow: number;
}

/** git's own simplification of history, per path: see PathChange in the schema. */
function* rowsOf(commit: CommitNode, changes: Changes): Generator<PathRow> {
  const [first, ...others] = changes;
  for (const path of first ?? []) {
    const same = others.findIndex((paths) => !paths.has(path));
    yield { key: pathKey(path), commit, follow: same < 0 ? 0 : same + 2 };
  }
}

async function insertRows(tx: Tx, repoId: RepoId, rows: readonly PathRow[]): Promise<void> {
  await tx.query({
    name: 'insert-path-changes',
    text: `INSERT INTO path_change (repo_id, path_key, generation, oid, follow)
           SELECT $1, substring($2::bytea FROM (16 * nth - 15)::int FOR 16), generation,
                  substring($3::bytea FROM (20 * nth - 19)::int FOR 20), follow
           FROM unnest($4::int4[], $5::int2[]) WITH ORDINALITY AS u (generation, follow, nth)
           ON CONFLICT DO NOTHING`,
    values: [
      repoId,
      Buffer.concat(rows.map((row) => row.key)),
      Buffer.concat(rows.map((row) => bytesOf(row.commit.oid))),
      rows.map((row) => row.commit.generation),
      rows.map((row) => row.follow),
    ],
  });
}

async function writeBatch(
  app: Pick<App, 'db'>,
  repoId: RepoId,
  commits: readonly CommitNode[],
  changes: readonly Changes[],
): Promise<void> {
  await transaction(app.db, async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('index-paths'), $1::int)`, [repoId % 2 ** 31]);
    let rows: PathRow[] = [];
    for (const [at, commit] of commits.entries())
      for (const row of rowsOf(commit, changes[at] ?? [])) {
        rows.push(row);
        if (rows.length < ROWS_AT_ONCE) continue;
        await insertRows(tx, repoId, rows);
        rows = [];
      }
    if (rows.length > 0) await insertRows(tx, repoId, rows);
    await failpoint('paths.before-mark');
    await tx.query('UPDATE commit_index SET has_paths = true WHERE repo_id = $1 AND oid = ANY($2::bytea[])', [
      repoId,
      commits.map((commit) => bytesOf(commit.oid)),
    ]);
  });
}

/**
 * Writes down for every commit that has not been looked at yet which paths it changed, ancestors first, 128 commits
 * a transaction; may be stopped, killed and run twice at any time. Until it is done, readers compare trees themselves.
 * Ends when `signal` aborts, to go on at the next run.
 */
export async function indexPaths(app: Pick<App, 'db'>, repoId: RepoId, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const commits = await nextCommits(app, repoId);
    if (commits.length === 0) return;
    const parents = await selectNodes(app.db, repoId, [...new Set(commits.flatMap((c) => c.parents))]);
    const changes = commits.map(
      (c): Changes => Array.from({ length: Math.max(1, c.parents.length) }, () => new Set()),
    );
    const roots = commits.flatMap((c, commit): Pair[] => {
      const befores =
        c.parents.length === 0 ? [null] : c.parents.map((oid) => parents.get(oid)?.treeOid ?? null);
      return befores.map((before, parent) => ({ commit, parent, path: '', before, after: c.treeOid }));
    });
    await compare(app, repoId, roots, changes);
    await writeBatch(app, repoId, commits, changes);
  }
}
