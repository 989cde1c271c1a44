import type { Db } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { selectObjects } from '../git/db.ts';
import { decodeObject, KIND } from '../git/objects.ts';

/** The bytes of several blobs in one query; the caller bounds them. Throws when one is missing or damaged. */
export async function readBlobs(db: Db, repoId: RepoId, oids: readonly Oid[]): Promise<Map<Oid, Buffer>> {
  const wanted = [...new Set(oids)];
  if (wanted.length === 0) return new Map();
  const rows = await selectObjects(db, repoId, wanted);
  const contents = new Map<Oid, Buffer>();
  for (const oid of wanted) {
    const row = rows.get(oid);
    if (row?.kind !== KIND.blob) throw new Error(`blob ${oid} of repo ${repoId} is missing`);
    contents.set(oid, await decodeObject(row));
  }
  return contents;
}
