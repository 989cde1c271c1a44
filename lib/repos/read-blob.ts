import type { Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { selectObjects } from './git/db.ts';
import { decodeObject, KIND } from './git/objects.ts';

/**
 * The bytes of a blob of this repo, checked against its oid. At most 10 MiB by the commit rules. Throws an
 * internal error when the blob is missing or damaged; for an LFS file these are the bytes of the pointer.
 */
export async function readBlob(db: Queryable, repoId: RepoId, oid: Oid): Promise<Buffer> {
  const row = (await selectObjects(db, repoId, [oid])).get(oid);
  if (row === undefined || row.kind !== KIND.blob)
    throw new Error(`blob ${oid} of repo ${repoId} is missing`);
  return decodeObject(row);
}
