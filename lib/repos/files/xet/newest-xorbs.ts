import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { NearXorb } from './chunk-index.ts';

const MAX_REPOS = 16;
const FILES_PER_REPO = 16;
/** The first 8 GB of each: what stands farther back is found by asking about a chunk before it. */
const XORBS_PER_FILE = 128;
const MAX_XORBS = 1_000;

/**
 * Live xorbs of the domain that the newest files of a repo use, then those of the 16 repos of its namespace that changed
 * last: what the next upload most likely resembles. Only files between the two ids, newest first. For who may read
 * all repos of the namespace. Plan: repo_pkey, repo_changed_last; per repo repo_file_repo_id_xet_file_id_idx; then
 * xet_file_xorb_pkey per file and xorb_pkey per xorb.
 */
export async function newestXorbs(
  db: Queryable,
  place: { readonly domainId: number; readonly repoId: RepoId },
  files: { readonly after?: number; readonly before?: number } = {},
): Promise<NearXorb[]> {
  const { rows } = await db.query<NearXorb>({
    name: 'xet-newest-xorbs',
    text: `WITH repos AS (
             SELECT $2::bigint AS id, 0::bigint AS rank
             UNION ALL
             (SELECT r.id, row_number() OVER (ORDER BY r.updated_at DESC) FROM repo r JOIN repo own ON own.id = $2
              WHERE r.namespace_id = own.namespace_id AND r.deleted_at IS NULL AND r.id <> $2
              ORDER BY r.updated_at DESC LIMIT ${MAX_REPOS})),
           files AS (
             SELECT repos.rank, newest.id FROM repos CROSS JOIN LATERAL (
               SELECT e.xet_file_id AS id FROM repo_file e
               WHERE e.repo_id = repos.id AND e.xet_file_id > $3 AND e.xet_file_id < $4 ORDER BY e.xet_file_id DESC LIMIT ${FILES_PER_REPO}) newest
             JOIN xet_file f ON f.id = newest.id AND f.sha256_state <> 'bad'),
           used AS (
             SELECT first.xorb_id, min(files.rank) AS rank, max(files.id) AS newest, min(files.id) AS oldest FROM files CROSS JOIN LATERAL (
               SELECT e.xorb_id FROM xet_file_xorb e WHERE e.file_id = files.id
               ORDER BY e.xorb_id LIMIT ${XORBS_PER_FILE}) first
             GROUP BY first.xorb_id)
           SELECT x.id, x.chunk_count AS "chunkCount", used.oldest AS "fileId" FROM used JOIN xorb x ON x.id = used.xorb_id
           WHERE x.domain_id = $1 AND x.state = 'live'
           ORDER BY used.rank, used.newest DESC, x.id LIMIT ${MAX_XORBS}`,
    values: [place.domainId, place.repoId, files.after ?? 0, files.before ?? Number.MAX_SAFE_INTEGER],
  });
  return rows;
}

/** No Xet file has a higher id than this, but those of transactions that are still open. */
export async function newestFileId(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM xet_file');
  return rows[0]?.id ?? 0;
}
