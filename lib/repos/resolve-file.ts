import type { Ctx } from '#lib/identity/context.ts';
import { assertReadable } from './access.ts';
import { selectRefs, selectRepoAndRefs } from './db.ts';
import { readBlobFacts } from './describe-entries.ts';
import { findFiles } from './files/find-files.ts';
import { entryNotFound, findEntry } from './find-entry.ts';
import { MODE } from './git/tree.ts';
import { parseTail } from './parse-tail.ts';
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
 * Finds one file by the RAW tail of a resolve or raw URL, or by decoded revision and path. The hottest path: one
 * query for repo, rights and refs, one for the edge of a large file; what hangs on immutable oids is read once
 * and remembered. Touches no object store. Throws repo_not_found, revision_not_found, or entry_not_found with
 * details.commitOid (also for a folder).
 */
export async function resolveFile(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  ref: RepoRef,
  at: string | { readonly revision: string; readonly path: string },
): Promise<ResolvedFile> {
  const readings = typeof at === 'string' ? parseTail(at) : [{ name: at.revision, path: at.path }];
  const names = (branch: string) => readings.flatMap((reading) => refNamesOf(reading.name, branch));
  const found = await selectRepoAndRefs(ctx.db, ref, names('main'));
  assertReadable(ctx.principal, found?.repo);
  const repo = found?.repo as Repo;
  const refs =
    repo.defaultBranch === 'main' || found === null
      ? (found?.refs ?? [])
      : await selectRefs(ctx.db, repo.id, names(repo.defaultBranch));
  const { revision, path } = await chooseReading(ctx.db, repo, readings, refs);
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
  const file = (await findFiles(ctx.db, repo.id, [sha256])).get(sha256) ?? null;
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
