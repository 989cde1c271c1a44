import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { EncodedObject, Kind, StoredGitObject } from './objects.ts';
import type { BlobFacts } from './oid-cache.ts';

const BATCH = 5000;

/**
 * The objects of this repo among `oids`; what is not there is absent from the map.
 * Plan: one index probe of git_object_pNN_pkey per oid in the one partition of the repo.
 */
export async function selectObjects(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): Promise<Map<Oid, StoredGitObject>> {
  const found = new Map<Oid, StoredGitObject>();
  for (let at = 0; at < oids.length; at += BATCH) {
    const { rows } = await db.query<{ oid: Buffer; kind: Kind; size: number; data: Buffer }>({
      name: 'select-objects',
      text: 'SELECT oid, kind, size, data FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
      values: [repoId, oids.slice(at, at + BATCH).map(bytesOf)],
    });
    for (const row of rows) {
      const oid = hexOf<Oid>(row.oid);
      found.set(oid, { oid, kind: row.kind, sizeBytes: row.size, data: row.data });
    }
  }
  return found;
}

/** Sizes and pointers of blobs, without their contents. Same plan as selectObjects. */
export async function selectBlobFacts(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): Promise<Map<Oid, BlobFacts>> {
  const found = new Map<Oid, BlobFacts>();
  for (let at = 0; at < oids.length; at += BATCH) {
    const { rows } = await db.query<{
      oid: Buffer;
      size: number;
      lfs_sha256: Buffer | null;
      lfs_size: number | null;
    }>({
      name: 'select-blob-facts',
      text: 'SELECT oid, size, lfs_sha256, lfs_size FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
      values: [repoId, oids.slice(at, at + BATCH).map(bytesOf)],
    });
    for (const row of rows) {
      const lfs =
        row.lfs_sha256 === null
          ? null
          : { sha256: hexOf<Sha256>(row.lfs_sha256), sizeBytes: row.lfs_size ?? 0 };
      found.set(hexOf<Oid>(row.oid), { sizeBytes: row.size, lfs });
    }
  }
  return found;
}

/**
 * Writes objects, each at most once: an object that is there stays as it is. Always in oid order, so that two
 * transactions which write the same objects wait for each other instead of locking each other out.
 */
export async function insertObjects(
  db: Queryable,
  repoId: RepoId,
  objects: readonly EncodedObject[],
): Promise<void> {
  const sorted = [...objects].sort((a, b) => (a.oid < b.oid ? -1 : 1));
  for (let at = 0; at < sorted.length; at += BATCH) {
    const batch = sorted.slice(at, at + BATCH);
    await db.query(
      `INSERT INTO git_object (repo_id, oid, kind, size, data, lfs_sha256, lfs_size)
       SELECT $1, * FROM unnest($2::bytea[], $3::int2[], $4::int4[], $5::bytea[], $6::bytea[], $7::int8[])
       ON CONFLICT DO NOTHING`,
      [
        repoId,
        batch.map((o) => bytesOf(o.oid)),
        batch.map((o) => o.kind),
        batch.map((o) => o.sizeBytes),
        batch.map((o) => o.data),
        batch.map((o) => (o.lfs ? bytesOf(o.lfs.sha256) : null)),
        batch.map((o) => o.lfs?.sizeBytes ?? null),
      ],
    );
  }
}
