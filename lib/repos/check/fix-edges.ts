import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { Repo } from '../types.ts';
import type { Fix } from './finding.ts';

/** Taken by the garbage collector between the look and the repair: the next check looks again. */
const GONE = 'left alone: the other bytes were just given up; run the check again';

/** Locks the sources that a repair is about to link to, so that they stay in use until it commits. */
const HELD = `held_object AS (SELECT id FROM stored_object WHERE id = $4 AND state = 'live' FOR KEY SHARE),
  held_file AS (SELECT id FROM xet_file WHERE id = $5 AND sha256_state = 'verified' FOR KEY SHARE),
  held AS (SELECT (SELECT id FROM held_object) AS object_id, (SELECT id FROM held_file) AS xet_file_id)`;

/** A whole object that is in use, or else a Xet file whose SHA-256 was recomputed, with exactly these bytes. */
const OTHER_SOURCE = `SELECT
  (SELECT o.id FROM stored_object o WHERE o.id IN (SELECT e.object_id FROM repo_file e WHERE e.sha256 = $1)
     AND o.state = 'live' AND o.sha256 = $1 AND o.size_bytes = $2 LIMIT 1) AS object_id,
  (SELECT x.id FROM xet_file x WHERE x.id IN (SELECT e.xet_file_id FROM repo_file e WHERE e.sha256 = $1)
     AND x.sha256_state = 'verified' AND x.sha256 = $1 AND x.size_bytes = $2
     AND NOT EXISTS (SELECT FROM xet_file_xorb f JOIN xorb b ON b.id = f.xorb_id JOIN stored_object o ON o.id = b.object_id
                     WHERE f.file_id = x.id AND (b.state <> 'live' OR o.state <> 'live')) LIMIT 1) AS xet_file_id`;

interface Source {
  object_id: number | null;
  xet_file_id: number | null;
}

async function otherSource(db: Queryable, sha256: Sha256, sizeBytes: number): Promise<Source | null> {
  const { rows } = await db.query<Source>(OTHER_SOURCE, [bytesOf(sha256), sizeBytes]);
  const found = rows[0];
  return found === undefined || (found.object_id === null && found.xet_file_id === null) ? null : found;
}

/**
 * For a pointer that a ref reaches: links the repo to the same bytes elsewhere on the hub, if there are any. That the
 * commit was let in proves that the repo held them once; the edge was lost, not taken. Null when nothing is found.
 */
export async function fixUnheldFile(
  db: Queryable,
  repo: Repo,
  sha256: Sha256,
  sizeBytes: number,
): Promise<Fix | null> {
  const source = await otherSource(db, sha256, sizeBytes);
  if (source === null) return null;
  return {
    key: `unheld:${repo.id}:${sha256}`,
    what: `link repo ${repo.id} to the same bytes, which the hub has`,
    run: async () => {
      const { rowCount } = await db.query(
        `WITH ${HELD} INSERT INTO repo_file AS e (repo_id, sha256, size_bytes, object_id, xet_file_id, created_by)
         SELECT $1, $2, $3, object_id, xet_file_id, $6 FROM held WHERE object_id IS NOT NULL OR xet_file_id IS NOT NULL
         ON CONFLICT (repo_id, sha256) DO UPDATE SET
           object_id = EXCLUDED.object_id, xet_file_id = EXCLUDED.xet_file_id, size_bytes = EXCLUDED.size_bytes`,
        [repo.id, bytesOf(sha256), sizeBytes, source.object_id, source.xet_file_id, repo.createdBy],
      );
      return rowCount === 1 ? 'linked' : GONE;
    },
  };
}

/** What is known of an edge whose sources are not all usable. */
export interface WeakEdge {
  readonly repoId: RepoId;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly objectLives: boolean;
  readonly xetLives: boolean;
}

/** Keeps the source of an edge that can be read and forgets the other. */
export function fixHalfDeadEdge(db: Queryable, edge: WeakEdge): Fix {
  const dead = edge.objectLives ? 'xet_file_id' : 'object_id';
  return {
    key: `half:${edge.repoId}:${edge.sha256}`,
    what: `read ${edge.sha256} from the ${edge.objectLives ? 'whole object' : 'Xet file'} alone`,
    run: async () => {
      await db.query(
        `UPDATE repo_file SET ${dead} = NULL WHERE repo_id = $1 AND sha256 = $2
           AND object_id IS NOT NULL AND xet_file_id IS NOT NULL`,
        [edge.repoId, bytesOf(edge.sha256)],
      );
      return 'done';
    },
  };
}

/**
 * An edge that leads nowhere: it takes the same bytes from elsewhere on the hub; if there are none, and no pointer of
 * the repo names the file any more, it is dropped. Null when a pointer still needs it: only an upload can help then.
 */
export async function fixDeadEdge(db: Queryable, edge: WeakEdge): Promise<Fix | null> {
  const { repoId, sha256, sizeBytes } = edge;
  const source = await otherSource(db, sha256, sizeBytes);
  const key = `dead:${repoId}:${sha256}`;
  if (source !== null)
    return {
      key,
      what: `read ${sha256} from the same bytes elsewhere on the hub`,
      run: async () => {
        const { rowCount } = await db.query(
          `WITH ${HELD} UPDATE repo_file e SET object_id = held.object_id, xet_file_id = held.xet_file_id FROM held
           WHERE e.repo_id = $1 AND e.sha256 = $2 AND e.size_bytes = $3
             AND (held.object_id IS NOT NULL OR held.xet_file_id IS NOT NULL)`,
          [repoId, bytesOf(sha256), sizeBytes, source.object_id, source.xet_file_id],
        );
        return rowCount === 1 ? 'done' : GONE;
      },
    };
  const named = await db.query('SELECT 1 FROM git_object WHERE repo_id = $1 AND lfs_sha256 = $2 LIMIT 1', [
    repoId,
    bytesOf(sha256),
  ]);
  if (named.rows.length > 0) return null;
  return {
    key,
    what: `drop the edge to ${sha256}, which no pointer of the repo names`,
    run: async () => {
      await db.query(
        `DELETE FROM repo_file e WHERE repo_id = $1 AND sha256 = $2
           AND NOT EXISTS (SELECT FROM git_object g WHERE g.repo_id = $1 AND g.lfs_sha256 = $2)`,
        [repoId, bytesOf(sha256)],
      );
      return 'dropped';
    },
  };
}
