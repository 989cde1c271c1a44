import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { type EncodedObject, KIND, type Kind, type StoredGitObject } from './objects.ts';
import type { BlobFacts } from './oid-cache.ts';

const BATCH = 5000;
const BATCH_BYTES = 8 * 1024 * 1024;

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

/** Those of `oids` that are annotated tags. Same plan as selectObjects; the data of commits among them is not sent. */
export async function selectTagObjects(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): Promise<Map<Oid, StoredGitObject>> {
  const { rows } = await db.query<{ oid: Buffer; kind: Kind; size: number; data: Buffer }>({
    name: 'select-tag-objects',
    text: `SELECT oid, kind, size, data FROM git_object
           WHERE repo_id = $1 AND oid = ANY($2::bytea[]) AND kind = ${KIND.tag}`,
    values: [repoId, oids.map(bytesOf)],
  });
  return new Map(
    rows.map(({ oid, kind, size, data }) => {
      const hex = hexOf<Oid>(oid);
      return [hex, { oid: hex, kind, sizeBytes: size, data }];
    }),
  );
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

/** Cuts a list into batches of at most 5,000 objects and about 8 MiB. */
function* batches(objects: readonly EncodedObject[]): Generator<EncodedObject[]> {
  let batch: EncodedObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    batch.push(object);
    bytes += object.data.length;
    if (batch.length < BATCH && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/**
 * Writes objects, each at most once: an object that is there keeps its bytes, but is locked until the transaction ends
 * and counts as young again, so that garbage collection leaves it (decision 0019). Always in oid order, so that two
 * transactions which write the same objects wait for each other instead of locking each other out. The bytes of a
 * batch travel as one binary parameter and are cut apart by the server: an array of bytea would be sent as text.
 */
export async function insertObjects(
  db: Queryable,
  repoId: RepoId,
  objects: readonly EncodedObject[],
): Promise<void> {
  const distinct = new Map(objects.map((object) => [object.oid, object])); // a statement may meet a row only once
  const sorted = [...distinct.values()].sort((a, b) => (a.oid < b.oid ? -1 : 1));
  for (const batch of batches(sorted)) {
    let end = 0;
    const starts = batch.map((object) => (end += object.data.length) - object.data.length + 1);
    await db.query({
      name: 'insert-objects',
      text: `INSERT INTO git_object (repo_id, oid, kind, size, data, lfs_sha256, lfs_size)
             SELECT $1, substring($2::bytea FROM (20 * nth - 19)::int FOR 20), kind, size,
                    substring($3::bytea FROM start FOR length), decode(lfs_sha256, 'hex'), lfs_size
             FROM unnest($4::int2[], $5::int4[], $6::int4[], $7::int4[], $8::text[], $9::int8[])
               WITH ORDINALITY AS o (kind, size, start, length, lfs_sha256, lfs_size, nth)
             ON CONFLICT (repo_id, oid) DO UPDATE SET touched_at = now()
             WHERE git_object.touched_at < now() - interval '1 hour'`,
      values: [
        repoId,
        Buffer.concat(batch.map((o) => bytesOf(o.oid))),
        Buffer.concat(batch.map((o) => o.data)),
        batch.map((o) => o.kind),
        batch.map((o) => o.sizeBytes),
        starts,
        batch.map((o) => o.data.length),
        batch.map((o) => o.lfs?.sha256 ?? null),
        batch.map((o) => o.lfs?.sizeBytes ?? null),
      ],
    });
  }
}
