import type { Db, Queryable } from '#lib/base/db.ts';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { readableRepo } from './access.ts';
import { type RefRow, selectRefs, selectRepoAndRefs, selectRepoRefsAndEdge } from './db.ts';
import { readBlobFacts } from './describe-entries.ts';
import { findFiles } from './files/find-files.ts';
import { entryNotFound, findEntry } from './find-entry.ts';
import { BoundedCache } from './git/oid-cache.ts';
import { MODE } from './git/tree.ts';
import { parseTail, type TailReading } from './parse-tail.ts';
import { readRoot, refNamesOf } from './resolve-revision.ts';
import { chooseReading, type SplitTail } from './split-revision.ts';
import type { Repo, RepoFile, RepoRef, TreeEntry } from './types.ts';

export interface ResolvedFile {
  readonly repo: Repo;
  readonly revision: SplitTail['revision'];
  readonly commitOid: SplitTail['revision']['commitOid'];
  readonly entry: TreeEntry;
  /** How the repo holds a large file. Null for a regular file, and for a pointer whose bytes cannot be read here. */
  readonly file: RepoFile | null;
}

/**
 * What a process remembers to save the second query: which large file an address led to last time (a guess, which
 * only decides what is asked along), and edges by the version of their rows (exact: a changed row is another
 * version). 16 MiB each.
 */
interface Memory {
  readonly guesses: BoundedCache<Sha256>;
  readonly edges: BoundedCache<RepoFile | null>;
}
const memories = new WeakMap<Queryable, Memory>();
const MEMORY_BYTES = 16 * 1024 * 1024;

function memoryOf(db: Db): Memory {
  let memory = memories.get(db);
  if (memory === undefined) {
    memory = { guesses: new BoundedCache(MEMORY_BYTES), edges: new BoundedCache(MEMORY_BYTES) };
    memories.set(db, memory);
  }
  return memory;
}

interface Found {
  readonly repo: Repo;
  readonly refs: readonly RefRow[];
  /** Of the file that was guessed; null without a guess and without an edge. */
  readonly edge: string | null;
  readonly guess: Sha256 | undefined;
}

/** Repo, rights, refs and the edge of the guessed file: one query. */
async function find(
  ctx: Pick<Ctx, 'db' | 'principal' | 'redirectsMoved'>,
  ref: RepoRef,
  readings: readonly TailReading[],
  guess: Sha256 | undefined,
): Promise<Found> {
  const names = (branch: string) => readings.flatMap((reading) => refNamesOf(reading.name, branch));
  const asked = names('main');
  const found =
    guess === undefined
      ? await selectRepoAndRefs(ctx.db, ref, asked)
      : await selectRepoRefsAndEdge(ctx.db, ref, asked, guess);
  const { repo, refs, edge } = readableRepo(ctx, found);
  if (repo.defaultBranch === 'main') return { repo, refs, edge, guess };
  return { repo, refs: await selectRefs(ctx.db, repo.id, names(repo.defaultBranch)), edge, guess };
}

/** The repo's edge to a large file: from the same query when the guess was right, else by one more. */
async function edgeOf(db: Db, memory: Memory, found: Found, sha256: Sha256): Promise<RepoFile | null> {
  const repoId: RepoId = found.repo.id;
  const key = found.guess === sha256 && found.edge !== null ? `${sha256}:${found.edge}` : null;
  const hit = key === null ? undefined : memory.edges.get(repoId, key);
  if (hit !== undefined) return hit;
  const file = (await findFiles(db, repoId, [sha256])).get(sha256) ?? null;
  if (key !== null) memory.edges.set(repoId, key, file, 800);
  return file;
}

/**
 * Finds one file by the RAW tail of a resolve or raw URL, or by decoded revision and path. The hottest path: one
 * query for repo, rights, refs and (from the second time on) the edge of a large file; what hangs on immutable
 * oids is read once and remembered. Touches no object store. Throws repo_not_found, revision_not_found,
 * invalid_input (malformed escape), or entry_not_found with details.commitOid (also for a folder).
 */
export async function resolveFile(
  ctx: Pick<Ctx, 'db' | 'principal' | 'redirectsMoved'>,
  ref: RepoRef,
  at: string | { readonly revision: string; readonly path: string },
): Promise<ResolvedFile> {
  const all = typeof at === 'string' ? parseTail(at) : [{ name: at.revision, path: at.path }];
  const readings = all.length > 1 && all[0]?.path === '' ? all.slice(1) : all; // no file has an empty path
  const memory = memoryOf(ctx.db);
  const address = `${ref.type}/${ref.namespace}/${ref.name}/${typeof at === 'string' ? at : `${at.revision}\0${at.path}`}`;
  const found = await find(ctx, ref, readings, memory.guesses.get(null, address));
  const { repo } = found;
  const { revision, path } = await chooseReading(ctx.db, repo, readings, found.refs);
  const { commitOid } = revision;
  const line = await findEntry(ctx.db, repo.id, await readRoot(ctx.db, repo.id, commitOid), path);
  if (line === null || line.mode === MODE.directory || line.mode === MODE.submodule)
    throw entryNotFound(commitOid);
  const { oid, mode } = line;
  const fact = (await readBlobFacts(ctx.db, repo.id, [oid])).get(oid);
  if (!fact?.lfs) {
    const entry: TreeEntry = { type: 'file', path, oid, mode, sizeBytes: fact?.sizeBytes ?? 0 };
    return { repo, revision, commitOid, entry, file: null };
  }
  const { sha256, sizeBytes } = fact.lfs;
  const file = await edgeOf(ctx.db, memory, found, sha256);
  memory.guesses.set(null, address, sha256, 300 + 2 * address.length);
  const lfs = { sha256, sizeBytes, pointerSizeBytes: fact.sizeBytes };
  const xet = file?.xet ? { xetHash: file.xet.hash } : {};
  return {
    repo,
    revision,
    commitOid,
    entry: { type: 'file', path, oid, mode, sizeBytes, lfs, ...xet },
    file,
  };
}
