import type { Db } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Oid, RepoId, Sha256 } from '#lib/base/ids.ts';
import { readBlobFacts } from '../describe-entries.ts';
import { findFiles } from '../files/find-files.ts';
import type { CachedTree } from '../git/oid-cache.ts';
import { readTrees } from '../git/read-trees.ts';
import { MODE } from '../git/tree.ts';
import type { ZipEntry } from './zip-format.ts';

/** An entry with where its bytes are. */
export interface ArchiveFile extends ZipEntry {
  /** Of a blob; null for a folder. */
  readonly oid: Oid | null;
  /** Of a large file. */
  readonly sha256: Sha256 | null;
}

/** About 50 MB while an archive is written; git and `hf download` have no such bound. */
const MAX_FILES = 100_000;
const FILES_PER_QUERY = 5000;

/** All trees below one: one query per level for those that are not remembered, each distinct tree once. */
async function treesBelow(db: Db, repoId: RepoId, top: Oid): Promise<Map<Oid, CachedTree>> {
  const trees = new Map<Oid, CachedTree>();
  for (let level: Oid[] = [top]; level.length > 0; ) {
    const below = new Set<Oid>();
    for (const [oid, tree] of await readTrees(db, repoId, level)) {
      trees.set(oid, tree);
      for (const line of tree.lines) if (line.mode === MODE.directory) below.add(line.oid);
    }
    level = [...below].filter((oid) => !trees.has(oid));
    if (trees.size + level.length > MAX_FILES) throw tooMany();
  }
  return trees;
}

const tooMany = () =>
  hubError(
    'too_large',
    `an archive holds at most ${MAX_FILES} files: take a folder, or use git clone or hf download`,
  );

interface Found {
  readonly path: string;
  readonly mode: number;
  readonly oid: Oid;
}

function collect(trees: ReadonlyMap<Oid, CachedTree>, top: Oid, prefix: string, out: Found[]): void {
  for (const { mode, name, oid } of trees.get(top)?.lines ?? []) {
    if (mode === MODE.directory) collect(trees, oid, `${prefix}${name}/`, out);
    else out.push({ path: prefix + name, mode, oid });
    if (out.length > MAX_FILES) throw tooMany();
  }
}

/** Permissions as git restores them, whatever odd mode an old tool wrote. */
function fileMode(mode: number): number {
  if (mode === MODE.symlink) return 0o120777;
  return (mode & 0o111) === 0 ? 0o100644 : 0o100755;
}

/** Throws not_found, naming the file, unless the repo can give the bytes of all large files: a queried edge per file. */
async function requireHeld(db: Db, repoId: RepoId, files: readonly ArchiveFile[]): Promise<void> {
  const paths = new Map(files.flatMap(({ sha256, path }) => (sha256 === null ? [] : [[sha256, path]])));
  const all = [...paths.keys()];
  for (let at = 0; at < all.length; at += FILES_PER_QUERY) {
    const asked = all.slice(at, at + FILES_PER_QUERY);
    const held = await findFiles(db, repoId, asked);
    const missing = asked.find((sha256) => !held.has(sha256));
    if (missing === undefined) continue;
    const name = JSON.stringify(paths.get(missing));
    throw hubError('not_found', `the content of ${name} is not stored in this repository: upload it again`);
  }
}

/**
 * What an archive of a folder holds, in git's order, below `root` (which ends in a slash and comes first, so that
 * nothing is unpacked beside it); a submodule is an empty folder, as with `git archive`. Queries: one per level and
 * two per 5,000 files. Throws too_large above 100,000 files, also when a small tree repeats itself into many, and
 * not_found when the bytes of a large file are missing.
 */
export async function archiveFiles(
  db: Db,
  repoId: RepoId,
  treeOid: Oid,
  root: string,
): Promise<ArchiveFile[]> {
  const found: Found[] = [];
  collect(await treesBelow(db, repoId, treeOid), treeOid, root, found);
  const blobs = found.filter(({ mode }) => mode !== MODE.submodule).map(({ oid }) => oid);
  const facts = await readBlobFacts(db, repoId, blobs);
  const folder = (path: string): ArchiveFile => ({
    path,
    mode: 0o40755,
    sizeBytes: 0,
    crcFollows: false,
    oid: null,
    sha256: null,
  });
  const files = found.map(({ path, mode, oid }): ArchiveFile => {
    if (mode === MODE.submodule) return folder(`${path}/`);
    const fact = facts.get(oid);
    const lfs = fact?.lfs ?? null;
    const sizeBytes = lfs?.sizeBytes ?? fact?.sizeBytes ?? 0;
    return {
      path,
      mode: fileMode(mode),
      sizeBytes,
      crcFollows: lfs !== null,
      oid,
      sha256: lfs?.sha256 ?? null,
    };
  });
  await requireHeld(db, repoId, files);
  return [folder(root), ...files];
}
