import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';

export interface FileLink {
  readonly repoId: RepoId;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** A whole object whose bytes hash to sha256: checked by the caller. */
  readonly objectId?: number;
  readonly xetFileId?: number;
  readonly userId: string;
}

/**
 * Gives the repo the right to read a file, inside the caller's transaction. Idempotent: a repeated call changes
 * nothing, and a second source is added to an edge that has the other. A live object that the edge has already
 * stays; the answer tells which one it is now, so that a caller that lost a race can delete its own. A checked
 * object overrules a Xet file that claims another size or whose SHA-256 is not verified: it may be a lie. The object
 * was recorded in this transaction: nothing that nobody holds any more is ever linked again.
 */
export async function linkFile(tx: Queryable, link: FileLink): Promise<{ objectId: number | null }> {
  const { rows } = await tx.query<{ object_id: number | null }>(
    `INSERT INTO repo_file AS e (repo_id, sha256, size_bytes, object_id, xet_file_id, created_by)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (repo_id, sha256) DO UPDATE SET
       object_id = CASE
         WHEN EXCLUDED.object_id IS NULL THEN e.object_id
         WHEN EXISTS (SELECT 1 FROM stored_object o WHERE o.id = e.object_id AND o.state = 'live') THEN e.object_id
         ELSE EXCLUDED.object_id END,
       xet_file_id = CASE
         WHEN EXCLUDED.object_id IS NOT NULL AND e.size_bytes <> EXCLUDED.size_bytes THEN NULL
         WHEN EXCLUDED.object_id IS NOT NULL AND EXISTS (
           SELECT 1 FROM xet_file f WHERE f.id = e.xet_file_id AND f.sha256_state <> 'verified') THEN NULL
         ELSE COALESCE(EXCLUDED.xet_file_id, e.xet_file_id) END,
       size_bytes = CASE WHEN EXCLUDED.object_id IS NOT NULL THEN EXCLUDED.size_bytes ELSE e.size_bytes END,
       used_at = now()
     RETURNING object_id`,
    [
      link.repoId,
      bytesOf(link.sha256),
      link.sizeBytes,
      link.objectId ?? null,
      link.xetFileId ?? null,
      link.userId,
    ],
  );
  return { objectId: rows[0]?.object_id ?? null };
}
