import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';

/** A file that arrives piece by piece. */
export interface TusUpload {
  readonly id: string;
  readonly repoId: RepoId;
  readonly userId: string;
  readonly isGuest: boolean;
  readonly revision: string;
  readonly createPr: boolean;
  /** Upload-Metadata as the client sent it. */
  readonly metadata: string;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly claimedSha256: Sha256 | null;
  /** Computed by us; set when the file is linked. */
  readonly sha256: Sha256 | null;
  /** Durable bytes from the beginning: what Upload-Offset says. */
  readonly receivedBytes: number;
  readonly key: string | null;
  readonly storageUploadId: string | null;
  readonly nextPart: number;
  readonly tailKey: string | null;
  /** Bytes of receivedBytes that are in the tail, not in a part. */
  readonly tailBytes: number;
  readonly fence: number;
  /** Whether a writer came while another had not let go: that one's part may still reach the store. */
  readonly wasTakenOver: boolean;
  readonly state: 'open' | 'done' | 'aborted';
  readonly expiresAt: Date;
}

interface Columns {
  id: string;
  repo_id: RepoId;
  user_id: string;
  is_guest: boolean;
  revision: string;
  create_pr: boolean;
  metadata: string;
  size_bytes: number;
  part_size_bytes: number;
  claimed_sha256: Buffer | null;
  sha256: Buffer | null;
  received_bytes: number;
  key: string | null;
  storage_upload_id: string | null;
  next_part: number;
  tail_key: string | null;
  tail_bytes: number;
  fence: number;
  was_taken_over: boolean;
  state: TusUpload['state'];
  expires_at: Date;
}

export const COLUMNS =
  'id, repo_id, user_id, is_guest, revision, create_pr, metadata, size_bytes, part_size_bytes, claimed_sha256, sha256, received_bytes, key, storage_upload_id, next_part, tail_key, tail_bytes, fence, was_taken_over, state, expires_at';

const sha256Of = (bytes: Buffer | null) => (bytes === null ? null : hexOf<Sha256>(bytes));

export function toUpload(row: Columns): TusUpload {
  return {
    id: row.id,
    repoId: row.repo_id,
    userId: row.user_id,
    isGuest: row.is_guest,
    revision: row.revision,
    createPr: row.create_pr,
    metadata: row.metadata,
    sizeBytes: row.size_bytes,
    partSizeBytes: row.part_size_bytes,
    claimedSha256: sha256Of(row.claimed_sha256),
    sha256: sha256Of(row.sha256),
    receivedBytes: row.received_bytes,
    key: row.key,
    storageUploadId: row.storage_upload_id,
    nextPart: row.next_part,
    tailKey: row.tail_key,
    tailBytes: row.tail_bytes,
    fence: row.fence,
    wasTakenOver: row.was_taken_over,
    state: row.state,
    expiresAt: row.expires_at,
  };
}

export type TusColumns = Columns;

/** Sizes of all files that a user is uploading, whatever has arrived of them. Index tus_upload(user_id, state). */
export async function openUploadBytes(db: Queryable, userId: string): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    "SELECT coalesce(sum(size_bytes), 0)::bigint AS total FROM tus_upload WHERE user_id = $1 AND state = 'open'",
    [userId],
  );
  return rows[0]?.total ?? 0;
}

/** Records a new upload, unless its user has `limit` open ones already: then false. Index tus_upload(user_id, state). */
export async function insertTusUpload(
  db: Queryable,
  upload: Pick<
    TusUpload,
    | 'id'
    | 'repoId'
    | 'userId'
    | 'isGuest'
    | 'revision'
    | 'createPr'
    | 'metadata'
    | 'sizeBytes'
    | 'partSizeBytes'
    | 'claimedSha256'
    | 'expiresAt'
  > & { readonly path: string },
  limit: number,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO tus_upload (id, repo_id, user_id, is_guest, path, revision, create_pr, metadata, size_bytes, part_size_bytes, claimed_sha256, expires_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
     WHERE (SELECT count(*) FROM tus_upload WHERE user_id = $3 AND state = 'open') < $13`,
    [
      upload.id,
      upload.repoId,
      upload.userId,
      upload.isGuest,
      upload.path,
      upload.revision,
      upload.createPr,
      upload.metadata,
      upload.sizeBytes,
      upload.partSizeBytes,
      upload.claimedSha256 && bytesOf(upload.claimedSha256),
      upload.expiresAt,
      limit,
    ],
  );
  return rowCount === 1;
}

/** The upload, or null. */
export async function findTusUpload(db: Queryable, id: string): Promise<TusUpload | null> {
  const { rows } = await db.query<Columns>({
    name: 'find-tus-upload',
    text: `SELECT ${COLUMNS} FROM tus_upload WHERE id = $1`,
    values: [id],
  });
  return rows[0] ? toUpload(rows[0]) : null;
}

/** Ends an open upload; false when it was no longer open, or when `fence` is given and another writer holds it. */
export async function closeTusUpload(
  db: Queryable,
  id: string,
  end:
    | { readonly state: 'done'; readonly sha256: Sha256; readonly fence: number }
    | { readonly state: 'aborted' },
): Promise<boolean> {
  const { rowCount } =
    end.state === 'aborted'
      ? await db.query(
          `UPDATE tus_upload SET state = 'aborted', lease_until = NULL WHERE id = $1 AND state = 'open'`,
          [id],
        )
      : await db.query(
          `UPDATE tus_upload SET state = 'done', sha256 = $3, lease_until = NULL WHERE id = $1 AND state = 'open' AND fence = $2`,
          [id, end.fence, bytesOf(end.sha256)],
        );
  return rowCount === 1;
}

/** Open uploads that expired before `before`, oldest first. Index tus_upload(state, expires_at). */
export async function expiredTusUploads(db: Queryable, before: Date, limit: number): Promise<TusUpload[]> {
  const { rows } = await db.query<Columns>(
    `SELECT ${COLUMNS} FROM tus_upload WHERE state = 'open' AND expires_at < $1 ORDER BY expires_at LIMIT $2`,
    [before, limit],
  );
  return rows.map(toUpload);
}

/** Forgets uploads that ended and that nobody can ask about any more, with their parts. */
export async function deleteOldTusUploads(db: Queryable, before: Date): Promise<void> {
  await db.query(`DELETE FROM tus_upload WHERE state <> 'open' AND expires_at < $1`, [before]);
}
