import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { describeEntries, type PlacedLine } from './describe-entries.ts';
import { entryNotFound, findEntry } from './find-entry.ts';
import { type CachedTree } from './git/oid-cache.ts';
import { readTree, readTrees } from './git/read-trees.ts';
import { MODE } from './git/tree.ts';
import { readRoot } from './resolve-revision.ts';
import type { Repo, TreeEntry } from './types.ts';

export interface ListOptions {
  readonly recursive: boolean;
  /** Most entries of one page. */
  readonly limit: number;
  /** `next` of the page before. Valid for the same commit and path only. */
  readonly after?: string;
}

/** How many trees one page reads ahead, so that a bushy repo costs a query per level and not one per folder. */
const READ_AHEAD_TREES = 1000;

type Reader = (oid: Oid) => Promise<CachedTree>;

/** A reader that has loaded the upper levels below `top` in one query each. */
async function readAhead(ctx: Pick<Ctx, 'db'>, repo: Repo, top: CachedTree): Promise<Reader> {
  const loaded = new Map<Oid, CachedTree>();
  let level: readonly CachedTree[] = [top];
  while (level.length > 0 && loaded.size < READ_AHEAD_TREES) {
    const next = level.flatMap((tree) => tree.lines.filter((line) => line.mode === MODE.directory));
    const oids = next.map((line) => line.oid).filter((oid) => !loaded.has(oid));
    const trees = await readTrees(ctx.db, repo.id, oids.slice(0, READ_AHEAD_TREES));
    for (const [oid, tree] of trees) loaded.set(oid, tree);
    level = [...trees.values()];
  }
  return async (oid) => loaded.get(oid) ?? readTree(ctx.db, repo.id, oid);
}

/**
 * Walks in git's order, a folder before what is in it, and collects up to `room` lines after the position
 * `after` (names below this folder; empty: from the start). Throws when `after` is not a position here.
 */
async function walk(
  read: Reader,
  tree: CachedTree,
  prefix: string,
  after: readonly string[],
  room: number,
  out: PlacedLine[],
): Promise<void> {
  let start = 0;
  const [name, ...rest] = after;
  if (name !== undefined) {
    const line = tree.byName.get(name);
    if (line === undefined) throw hubError('invalid_input', 'cursor: not a position in this listing');
    start = tree.lines.indexOf(line) + 1;
    if (line.mode === MODE.directory)
      await walk(read, await read(line.oid), `${prefix}${name}/`, rest, room, out);
  }
  for (let at = start; at < tree.lines.length && out.length < room; at++) {
    const line = tree.lines[at];
    if (line === undefined) break;
    out.push({ path: prefix + line.name, line });
    if (line.mode === MODE.directory && out.length < room)
      await walk(read, await read(line.oid), `${prefix}${line.name}/`, [], room, out);
  }
}

/**
 * One page of the folder at `path` of a commit, in git's order; recursive listings include the folders. `next`
 * is null on the last page. The listing of a commit never changes, so page links should name its oid. Throws
 * entry_not_found (details.commitOid) when there is no such folder. Queries: one per level plus two.
 */
export async function listTree(
  ctx: Pick<Ctx, 'db'>,
  repo: Repo,
  commitOid: Oid,
  path: string,
  options: ListOptions,
): Promise<{ entries: TreeEntry[]; next: string | null }> {
  const folder = path.replace(/\/$/, '');
  const root = await readRoot(ctx.db, repo.id, commitOid);
  const line = await findEntry(ctx.db, repo.id, root, folder);
  if (line?.mode !== MODE.directory) throw entryNotFound(commitOid);
  const top = await readTree(ctx.db, repo.id, line.oid);
  const prefix = folder === '' ? '' : `${folder}/`;
  if (options.after !== undefined && !options.after.startsWith(prefix))
    throw hubError('invalid_input', 'cursor: not a position in this listing');
  const after = options.after === undefined ? [] : options.after.slice(prefix.length).split('/');
  const placed: PlacedLine[] = [];
  if (options.recursive) {
    await walk(await readAhead(ctx, repo, top), top, prefix, after, options.limit + 1, placed);
  } else {
    const leaf: Reader = async () => ({ lines: [], byName: new Map() });
    await walk(leaf, top, prefix, after, options.limit + 1, placed);
  }
  const page = placed.slice(0, options.limit);
  const next = placed.length > page.length ? (page.at(-1)?.path ?? null) : null;
  return { entries: await describeEntries(ctx.db, repo.id, page), next };
}

/** The tree lines at these paths, in the order asked; missing ones are left out, repeated ones come once. One query per level. */
export async function pathLines(
  ctx: Pick<Ctx, 'db'>,
  repo: Repo,
  rootOid: Oid,
  paths: readonly string[],
): Promise<PlacedLine[]> {
  let open = [...new Set(paths)]
    .filter((path) => path !== '')
    .map((path) => ({ path, names: path.split('/'), tree: rootOid }));
  const found = new Map<string, PlacedLine>();
  for (let depth = 0; open.length > 0; depth++) {
    const trees = await readTrees(ctx.db, repo.id, [...new Set(open.map(({ tree }) => tree))]);
    const deeper: typeof open = [];
    for (const item of open) {
      const line = trees.get(item.tree)?.byName.get(item.names[depth] ?? '');
      if (line === undefined) continue;
      if (depth === item.names.length - 1) found.set(item.path, { path: item.path, line });
      else if (line.mode === MODE.directory) deeper.push({ ...item, tree: line.oid });
    }
    open = deeper;
  }
  return [...new Set(paths)].flatMap((path) => found.get(path) ?? []);
}

/**
 * The entries at these paths of a commit, in the order asked; missing ones are left out, repeated ones come once.
 * Queries: one per level plus two.
 */
export async function pathsInfo(
  ctx: Pick<Ctx, 'db'>,
  repo: Repo,
  commitOid: Oid,
  paths: readonly string[],
): Promise<TreeEntry[]> {
  const root = await readRoot(ctx.db, repo.id, commitOid);
  const plain = paths.map((path) => path.replace(/\/$/, ''));
  return describeEntries(ctx.db, repo.id, await pathLines(ctx, repo, root, plain));
}
