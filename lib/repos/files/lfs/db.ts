import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { refuseDeleting } from '../refuse-deleting.ts';

/** A multipart upload on its way. */
export interface UploadRow {
  readonly id: string;
  readonly repoId: RepoId;
  readonly userId: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly key: string;
  readonly storageUploadId: string;
  readonly state: 'open' | 'done' | 'aborted';
}

interface Columns {
  id: string;
  repo_id: RepoId;
  user_id: string;
  sha256: Buffer;
  size_bytes: number;
  part_size_bytes: number;
  key: string;
  storage_upload_id: string;
  state: UploadRow['state'];
}

const COLUMNS = 'id, repo_id, user_id, sha256, size_bytes, part_size_bytes, key, storage_upload_id, state';

function toUpload(row: Columns): UploadRow {
  return {
    id: row.id,
    repoId: row.repo_id,
    userId: row.user_id,
    sha256: hexOf<Sha256>(row.sha256),
    sizeBytes: row.size_bytes,
    partSizeBytes: row.part_size_bytes,
    key: row.key,
    storageUploadId: row.storage_upload_id,
    state: row.state,
  };
}

/** Writes all uploads of a batch in one statement. */
export async function insertUploads(
  db: Queryable,
  uploads: readonly UploadRow[],
  expiresAt: Date,
): Promise<void> {
  if (uploads.length === 0) return;
  await db.query(
    `INSERT INTO upload (id, repo_id, user_id, kind, sha256, size_bytes, part_size_bytes, key, storage_upload_id, state, expires_at)
     SELECT id, $1, $2, 'multipart', sha256, size_bytes, part_size_bytes, key, storage_upload_id, 'open', $3
     FROM unnest($4::text[], $5::bytea[], $6::bigint[], $7::bigint[], $8::text[], $9::text[])
       AS new(id, sha256, size_bytes, part_size_bytes, key, storage_upload_id)`,
    [
      uploads[0]?.repoId,
      uploads[0]?.userId,
      expiresAt,
      uploads.map((u) => u.id),
      uploads.map((u) => bytesOf(u.sha256)),
      uploads.map((u) => u.sizeBytes),
      uploads.map((u) => u.partSizeBytes),
      uploads.map((u) => u.key),
      uploads.map((u) => u.storageUploadId),
    ],
  );
}

/** The upload, or null; with `lock` no other transaction changes it until this one ends. */
export async function findUpload(db: Queryable, id: string, lock = false): Promise<UploadRow | null> {
  const { rows } = await db.query<Columns>(
    `SELECT ${COLUMNS} FROM upload WHERE id = $1 ${lock ? 'FOR UPDATE' : ''}`,
    [id],
  );
  return rows[0] ? toUpload(rows[0]) : null;
}

/** Moves an open upload to its end; false when it was no longer open. */
export async function closeUpload(db: Queryable, id: string, state: 'done' | 'aborted'): Promise<boolean> {
  const { rowCount } = await db.query(`UPDATE upload SET state = $2 WHERE id = $1 AND state = 'open'`, [
    id,
    state,
  ]);
  return rowCount === 1;
}

/** Open uploads whose links have expired, oldest first. Index upload(state, expires_at). */
export async function expiredUploads(db: Queryable, now: Date, limit: number): Promise<UploadRow[]> {
  const { rows } = await db.query<Columns>(
    `SELECT ${COLUMNS} FROM upload WHERE state = 'open' AND expires_at < $1 ORDER BY expires_at LIMIT $2`,
    [now, limit],
  );
  return rows.map(toUpload);
}

/** Forgets ended uploads that nobody can ask about any more. */
export async function deleteOldUploads(db: Queryable, before: Date): Promise<void> {
  await db.query(`DELETE FROM upload WHERE state <> 'open' AND expires_at < $1`, [before]);
}

/** The name of a repo that is still there, locked against deletion while the transaction lasts; else null. */
export async function lockLiveRepo(tx: Queryable, repoId: RepoId): Promise<string | null> {
  const { rows } = await tx.query<{ subject: string }>(
    `SELECT r.type || ':' || n.name || '/' || r.name AS subject
     FROM repo r JOIN namespace n ON n.id = r.namespace_id
     WHERE r.id = $1 AND r.deleted_at IS NULL FOR SHARE OF r`,
    [repoId],
  );
  return rows[0]?.subject ?? null;
}

/** Whether the repo is still there. Takes no lock: readers must neither wait for commits nor hold them up. */
export async function isLiveRepo(db: Queryable, repoId: RepoId): Promise<boolean> {
  const { rows } = await db.query('SELECT 1 FROM repo WHERE id = $1 AND deleted_at IS NULL', [repoId]);
  return rows.length === 1;
}

/**
 * Records a checked whole object; null when this very key is recorded already. Throws busy when garbage collection has
 * taken the bytes for an orphan meanwhile: they are being deleted, the client must send them again.
 */
export async function insertObject(
  tx: Queryable,
  object: { key: string; sizeBytes: number; sha256: Sha256 },
): Promise<number | null> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO stored_object (key, size_bytes, sha256, state) VALUES ($1, $2, $3, 'live')
     ON CONFLICT (key) DO NOTHING RETURNING id`,
    [object.key, object.sizeBytes, bytesOf(object.sha256)],
  );
  if (rows[0] !== undefined) return rows[0].id;
  await refuseDeleting(tx, object.key);
  return null;
}

/** Takes back an object of this transaction that nothing refers to. */
export async function deleteObject(tx: Queryable, id: number): Promise<void> {
  await tx.query('DELETE FROM stored_object WHERE id = $1', [id]);
}
