import type { Db } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { findFiles } from './files/find-files.ts';
import { selectBlobFacts } from './git/db.ts';
import { type BlobFacts, oidCache } from './git/oid-cache.ts';
import { MODE, type TreeLine } from './git/tree.ts';
import type { TreeEntry } from './types.ts';

/** A tree line with where it stands. */
export interface PlacedLine {
  readonly path: string;
  readonly line: TreeLine;
}

const isBlob = ({ line }: PlacedLine) => line.mode !== MODE.directory && line.mode !== MODE.submodule;

/** Facts of blobs by oid: one query for those that are not remembered. Throws when one is missing. */
export async function readBlobFacts(
  db: Db,
  repoId: RepoId,
  oids: readonly Oid[],
): Promise<Map<Oid, BlobFacts>> {
  const cache = oidCache(db).blobs;
  const found = new Map<Oid, BlobFacts>();
  const missing = new Set<Oid>();
  for (const oid of oids) {
    const hit = cache.get(repoId, oid);
    if (hit) found.set(oid, hit);
    else missing.add(oid);
  }
  if (missing.size === 0) return found;
  const rows = await selectBlobFacts(db, repoId, [...missing]);
  for (const oid of missing) {
    const facts = rows.get(oid);
    if (facts === undefined) throw new Error(`blob ${oid} of repo ${repoId} is missing`);
    cache.set(repoId, oid, facts, facts.lfs ? 500 : 250);
    found.set(oid, facts);
  }
  return found;
}

/** Tree lines as listing entries, with real sizes and Xet hashes: at most two queries however many there are. */
export async function describeEntries(
  db: Db,
  repoId: RepoId,
  placed: readonly PlacedLine[],
): Promise<TreeEntry[]> {
  const facts = await readBlobFacts(
    db,
    repoId,
    placed.filter(isBlob).map(({ line }) => line.oid),
  );
  const large = [...facts.values()].flatMap((fact) => (fact.lfs ? [fact.lfs.sha256] : []));
  const files = large.length === 0 ? new Map() : await findFiles(db, repoId, large);
  return placed.map(({ path, line }): TreeEntry => {
    const { oid, mode } = line;
    const fact = facts.get(oid);
    if (mode === MODE.directory) return { type: 'directory', path, oid, mode, sizeBytes: 0 };
    if (!fact?.lfs) return { type: 'file', path, oid, mode, sizeBytes: fact?.sizeBytes ?? 0 };
    const { sha256, sizeBytes } = fact.lfs;
    const xetHash = files.get(sha256)?.xet?.hash;
    const lfs = { sha256, sizeBytes, pointerSizeBytes: fact.sizeBytes };
    return { type: 'file', path, oid, mode, sizeBytes, lfs, ...(xetHash === undefined ? {} : { xetHash }) };
  });
}
