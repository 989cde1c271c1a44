import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { RepoFile } from '../types.ts';
import { hashText } from './xet/hashes.ts';

interface Row {
  sha256: Buffer;
  size_bytes: number;
  key: string | null;
  file_id: number | null;
  domain_id: number | null;
  hash: Buffer | null;
}

/**
 * The files among `sha256s` whose bytes this repo can give: whole objects that are live, and Xet files whose
 * SHA-256 is verified or still being verified, never ones that turned out wrong. An edge without any usable
 * source is left out, as if it were not there. One query: primary key of repo_file, then two primary keys.
 */
export async function findFiles(
  db: Queryable,
  repoId: RepoId,
  sha256s: readonly Sha256[],
): Promise<Map<Sha256, RepoFile>> {
  const files = new Map<Sha256, RepoFile>();
  if (sha256s.length === 0) return files;
  const { rows } = await db.query<Row>({
    name: 'find-files',
    text: `SELECT e.sha256, e.size_bytes, o.key, x.id AS file_id, x.domain_id, x.hash
      FROM repo_file e
      LEFT JOIN stored_object o ON o.id = e.object_id AND o.state = 'live'
      LEFT JOIN xet_file x ON x.id = e.xet_file_id AND x.sha256_state IN ('verified', 'unverified')
      WHERE e.repo_id = $1 AND e.sha256 = ANY($2::bytea[]) AND (o.id IS NOT NULL OR x.id IS NOT NULL)`,
    values: [repoId, sha256s.map(bytesOf)],
  });
  for (const row of rows) {
    const sha256 = hexOf<Sha256>(row.sha256);
    const { file_id: fileId, domain_id: domainId, hash } = row;
    const xet =
      fileId !== null && domainId !== null && hash !== null
        ? { fileId, domainId, hash: hashText(hash) }
        : null;
    files.set(sha256, { repoId, sha256, sizeBytes: row.size_bytes, objectKey: row.key, xet });
  }
  return files;
}
