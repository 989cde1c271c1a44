import type { Queryable } from '#lib/base/db.ts';
import { hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';

/** A large file of a repo and how it is stored: whole, as chunks, or both. */
export interface HeldFile {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly objectId: number | null;
  readonly objectBytes: number;
  readonly xetFileId: number | null;
}

/** Every large file of a repo. Plan: the repo's range of repo_file_pkey, two primary keys per file. */
export async function selectHeld(db: Queryable, repoId: RepoId): Promise<HeldFile[]> {
  const { rows } = await db.query<{
    sha256: Buffer;
    size_bytes: number;
    object_id: number | null;
    object_bytes: number | null;
    file_id: number | null;
  }>(
    `SELECT e.sha256, e.size_bytes, o.id AS object_id, o.size_bytes AS object_bytes, x.id AS file_id
     FROM repo_file e
     LEFT JOIN stored_object o ON o.id = e.object_id AND o.state = 'live'
     LEFT JOIN xet_file x ON x.id = e.xet_file_id AND x.sha256_state IN ('verified', 'unverified')
     WHERE e.repo_id = $1`,
    [repoId],
  );
  return rows.map((row) => ({
    sha256: hexOf<Sha256>(row.sha256),
    sizeBytes: row.size_bytes,
    objectId: row.object_id,
    objectBytes: row.object_bytes ?? 0,
    xetFileId: row.file_id,
  }));
}

/** The terms of files by id: ask for few at a time. */
export async function selectTerms(db: Queryable, ids: readonly number[]): Promise<Map<number, Buffer>> {
  const { rows } = await db.query<{ id: number; terms: Buffer }>(
    'SELECT id, terms FROM xet_file WHERE id = ANY($1::bigint[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.terms]));
}

/** Other live repos with files that use a xorb of these files; at most `limit` pairs, the newest files first. */
export async function selectOtherFiles(
  db: Queryable,
  repoId: RepoId,
  fileIds: readonly number[],
  limit: number,
): Promise<{ fileId: number; repoId: number }[]> {
  const { rows } = await db.query<{ fileId: number; repoId: number }>(
    `WITH xorbs AS (SELECT DISTINCT xorb_id FROM xet_file_xorb WHERE file_id = ANY($2::bigint[])),
          files AS (SELECT DISTINCT e.file_id FROM xorbs JOIN xet_file_xorb e USING (xorb_id))
     SELECT f.file_id AS "fileId", r.repo_id AS "repoId"
     FROM files f JOIN repo_file r ON r.xet_file_id = f.file_id AND r.repo_id <> $1
     JOIN repo p ON p.id = r.repo_id AND p.deleted_at IS NULL
     ORDER BY f.file_id DESC, r.repo_id LIMIT $3`,
    [repoId, fileIds, limit],
  );
  return rows;
}

/** Other live repos that use these whole objects; at most `limit` pairs. */
export async function selectOtherObjects(
  db: Queryable,
  repoId: RepoId,
  objectIds: readonly number[],
  limit: number,
): Promise<{ objectId: number; repoId: number }[]> {
  const { rows } = await db.query<{ objectId: number; repoId: number }>(
    `SELECT r.object_id AS "objectId", r.repo_id AS "repoId"
     FROM repo_file r JOIN repo p ON p.id = r.repo_id AND p.deleted_at IS NULL
     WHERE r.object_id = ANY($2::bigint[]) AND r.repo_id <> $1 LIMIT $3`,
    [repoId, objectIds, limit],
  );
  return rows;
}
