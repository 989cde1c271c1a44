import type { Db } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { type CommitNode, selectNodes, selectSummaries } from './commits-db.ts';
import { diffTrees } from './diff-trees.ts';
import { findEntry } from './find-entry.ts';
import { findLastChanges } from './find-last-changes.ts';
import { readTrees } from './git/read-trees.ts';
import { MODE } from './git/tree.ts';
import type { CommitSummary, Repo } from './types.ts';

/** More files than this changed at once: no rename is looked for among them. */
const MAX_RENAME_CHANGES = 10_000;

/** A commit that changed a path. */
export interface PathCommit extends CommitSummary {
  /** It brought the file from here, unchanged: the file's earlier history is that of this path at that commit. */
  readonly renamedFrom: { readonly path: string; readonly commitOid: Oid } | null;
}

/** The path in the parent that this commit renamed to `path`: gone in it, and the same blob. */
async function findRename(
  db: Db,
  repoId: RepoId,
  commit: CommitNode,
  path: string,
): Promise<PathCommit['renamedFrom']> {
  const [parentOid] = commit.parents;
  if (parentOid === undefined) return null;
  const parent = (await selectNodes(db, repoId, [parentOid])).get(parentOid);
  const line = await findEntry(db, repoId, commit.treeOid, path);
  if (!parent || line === null || line.mode === MODE.directory) return null;
  if ((await findEntry(db, repoId, parent.treeOid, path)) !== null) return null;
  const read = (oids: readonly Oid[]) => readTrees(db, repoId, oids);
  const { changes } = await diffTrees(read, parent.treeOid, commit.treeOid, {
    maxChanges: MAX_RENAME_CHANGES,
  });
  const old = changes.find(({ before, after }) => after === null && before?.oid === line.oid);
  return old ? { path: old.path, commitOid: parentOid } : null;
}

/** Yields the commits that changed `path`, newest first, as `git log -- path` lists them. */
async function* changesOf(db: Db, repoId: RepoId, start: Oid, path: string): AsyncGenerator<CommitNode> {
  const slash = path.lastIndexOf('/');
  const [folder, name] = [slash < 0 ? '' : path.slice(0, slash), path.slice(slash + 1)];
  const seen = new Set<Oid>();
  const ends: CommitNode[] = [];
  const open = [start];
  for (;;) {
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      const next = (await findLastChanges(db, repoId, from, folder, new Set([name]))).get(name);
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      const node = (await selectNodes(db, repoId, [next])).get(next);
      if (node) ends.push(node);
    }
    ends.sort((a, b) => b.committedAt.getTime() - a.committedAt.getTime() || b.generation - a.generation);
    const node = ends.shift();
    if (node === undefined) return;
    yield node;
    open.push(...node.parents);
  }
}

/**
 * One page (0-based) of the commits that changed what is or was at `path` (a file or a folder), newest first, and
 * whether there are more. Exact renames are named, not followed: the caller asks on with the old path. Queries: a
 * few per commit of this page and those before it.
 */
export async function fileHistory(
  db: Db,
  repo: Repo,
  commitOid: Oid,
  path: string,
  { page, limit }: { readonly page: number; readonly limit: number },
): Promise<{ commits: PathCommit[]; hasNext: boolean }> {
  const nodes: CommitNode[] = [];
  const first = page * limit;
  let at = 0;
  let hasNext = false;
  for await (const node of changesOf(db, repo.id, commitOid, path)) {
    if (at === first + limit) {
      hasNext = true;
      break;
    }
    if (at++ >= first) nodes.push(node);
  }
  const oids = nodes.map((node) => node.oid);
  const summaries = await selectSummaries(db, repo.id, oids);
  const commits: PathCommit[] = [];
  for (const node of nodes) {
    const summary = summaries.get(node.oid);
    if (summary) commits.push({ ...summary, renamedFrom: await findRename(db, repo.id, node, path) });
  }
  return { commits, hasNext };
}
