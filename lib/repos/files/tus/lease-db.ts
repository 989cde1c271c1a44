import type { Queryable } from '#lib/base/db.ts';
import type { StoredPart, UploadedPart } from '#lib/storage/object-store.ts';
import { COLUMNS, type TusColumns, type TusUpload, toUpload } from './db.ts';

/** How long a writer that shows no progress keeps others out. */
const LEASE = `interval '6 seconds'`;
/** An upload expires this long after its last byte… */
export const UPLOAD_LIFETIME_MS = 7 * 24 * 3600_000;
/** …and at the latest this long after its beginning: before a store's own rule for abandoned parts could strike. */
const LONGEST = `interval '28 days'`;

/**
 * Makes the caller the one writer of an open upload, or returns null when another writer is alive. Time is the
 * database's own.
 */
export async function takeLease(db: Queryable, id: string): Promise<TusUpload | null> {
  const { rows } = await db.query<TusColumns>(
    `UPDATE tus_upload SET fence = fence + 1, lease_until = now() + ${LEASE}, was_taken_over = was_taken_over OR lease_until IS NOT NULL
     WHERE id = $1 AND state = 'open' AND (lease_until IS NULL OR lease_until < now())
     RETURNING ${COLUMNS}`,
    [id],
  );
  return rows[0] ? toUpload(rows[0]) : null;
}

/** Says that the writer is alive; false when it is no longer the writer. */
export async function renewLease(db: Queryable, { id, fence }: TusUpload): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE tus_upload SET lease_until = now() + ${LEASE} WHERE id = $1 AND fence = $2 AND state = 'open'`,
    [id, fence],
  );
  return rowCount === 1;
}

/** Lets others write. */
export async function releaseLease(db: Queryable, { id, fence }: TusUpload): Promise<void> {
  await db.query(`UPDATE tus_upload SET lease_until = NULL WHERE id = $1 AND fence = $2 AND state = 'open'`, [
    id,
    fence,
  ]);
}

/** Records the multipart upload that the parts go to; false when the caller is no longer the writer. */
export async function recordMultipart(
  db: Queryable,
  { id, fence }: TusUpload,
  begun: { readonly key: string; readonly storageUploadId: string },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE tus_upload SET key = $3, storage_upload_id = $4
     WHERE id = $1 AND fence = $2 AND state = 'open' AND storage_upload_id IS NULL`,
    [id, fence, begun.key, begun.storageUploadId],
  );
  return rowCount === 1;
}

/** What the store has of an upload: a part, a tail that waits for more, or all of it. */
export type StoredPiece =
  | { readonly kind: 'part'; readonly part: UploadedPart; readonly sizeBytes: number }
  | { readonly kind: 'tail'; readonly key: string; readonly sizeBytes: number }
  | { readonly kind: 'whole'; readonly key: string };

/** A piece that is durable now, or so much of a part that grows: what a crash from here on does not lose. */
export type DurablePiece = StoredPiece & { readonly receivedBytes: number; readonly expiresAt: Date };

/**
 * Records a durable piece, or how far a part has grown, in one statement; false when the caller is no longer the writer.
 */
export async function recordPiece(
  db: Queryable,
  { id, fence }: TusUpload,
  piece: DurablePiece,
): Promise<boolean> {
  const isPart = piece.kind === 'part';
  const { rowCount } = await db.query(
    `WITH moved AS (
       UPDATE tus_upload SET received_bytes = $3, expires_at = LEAST($4, created_at + ${LONGEST}), lease_until = now() + ${LEASE},
         tail_key = $5, tail_bytes = $6, key = COALESCE($7, key), next_part = GREATEST(next_part, $8 + 1)
       WHERE id = $1 AND fence = $2 AND state = 'open' RETURNING id),
     noted AS (INSERT INTO tus_part (upload_id, number, size_bytes, etag)
       SELECT id, $8, $9, $10 FROM moved WHERE $8 > 0
       ON CONFLICT (upload_id, number) DO UPDATE SET size_bytes = EXCLUDED.size_bytes)
     SELECT 1 FROM moved`,
    [
      id,
      fence,
      piece.receivedBytes,
      piece.expiresAt,
      piece.kind === 'tail' ? piece.key : null,
      piece.kind === 'tail' ? piece.sizeBytes : 0,
      piece.kind === 'whole' ? piece.key : null,
      isPart ? piece.part.partNumber : 0,
      isPart ? piece.sizeBytes : 0,
      isPart ? piece.part.etag : '',
    ],
  );
  return rowCount === 1;
}

/** The durable parts in order, each as far as it is durable. Plan: tus_part_pkey. */
export async function durableParts(db: Queryable, id: string): Promise<StoredPart[]> {
  const { rows } = await db.query<{ number: number; etag: string; size_bytes: number }>(
    'SELECT number, etag, size_bytes FROM tus_part WHERE upload_id = $1 ORDER BY number',
    [id],
  );
  return rows.map((row) => ({ partNumber: row.number, etag: row.etag, sizeBytes: row.size_bytes }));
}
