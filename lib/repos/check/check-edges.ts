import type { Queryable } from '#lib/base/db.ts';
import { hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { Finding } from './finding.ts';
import { fixDeadEdge, fixHalfDeadEdge } from './fix-edges.ts';

const BATCH = 1000;

/** A Xet file that can be read: not known to be wrong, and every xorb of it in use. */
const XET_LIVES = `x.id IS NOT NULL AND x.sha256_state IN ('verified', 'unverified') AND x.sha256 = e.sha256 AND x.size_bytes = e.size_bytes
  AND NOT EXISTS (SELECT FROM xet_file_xorb f JOIN xorb b ON b.id = f.xorb_id JOIN stored_object s ON s.id = b.object_id
                  WHERE f.file_id = x.id AND (b.state <> 'live' OR s.state <> 'live'))`;
const OBJECT_LIVES = `o.id IS NOT NULL AND o.state = 'live' AND o.sha256 = e.sha256 AND o.size_bytes = e.size_bytes`;

/** Edges of live repos with a source that cannot be read, page by page. */
const WEAK_EDGES = `SELECT * FROM (
    SELECT e.repo_id, e.sha256, e.size_bytes, e.object_id, o.key, o.state, x.id AS xet_file_id,
      coalesce(${OBJECT_LIVES}, false) AS object_lives, coalesce(${XET_LIVES}, false) AS xet_lives
    FROM repo_file e JOIN repo r ON r.id = e.repo_id AND r.deleted_at IS NULL
    LEFT JOIN stored_object o ON o.id = e.object_id LEFT JOIN xet_file x ON x.id = e.xet_file_id) w
  WHERE ((object_id IS NOT NULL AND NOT object_lives) OR (xet_file_id IS NOT NULL AND NOT xet_lives))
    AND ($1::bigint IS NULL OR (repo_id, sha256) > ($1, $2::bytea))
  ORDER BY repo_id, sha256 LIMIT ${BATCH}`;

interface WeakRow {
  repo_id: RepoId;
  sha256: Buffer;
  size_bytes: number;
  object_id: number | null;
  key: string | null;
  state: string | null;
  xet_file_id: number | null;
  object_lives: boolean;
  xet_lives: boolean;
}

/** How the source is broken, in words. */
function trouble(row: WeakRow): string {
  const object = row.object_id === null || row.object_lives ? null : `object ${row.key}`;
  const why = row.state !== 'live' ? row.state : 'of another size or hash';
  const xet = row.xet_file_id === null || row.xet_lives ? null : 'as a Xet file that cannot be read';
  return [object && `in ${object}, which is ${why}`, xet].filter(Boolean).join(' and ');
}

async function findingOf(db: Queryable, row: WeakRow): Promise<Finding> {
  const sha256 = hexOf<Sha256>(row.sha256);
  const edge = {
    repoId: row.repo_id,
    sha256,
    sizeBytes: row.size_bytes,
    objectLives: row.object_lives,
    xetLives: row.xet_lives,
  };
  const text = `holds ${sha256} ${trouble(row)}`;
  const subject = `repo ${row.repo_id}`;
  if (row.object_lives || row.xet_lives)
    return new Finding('edge-half-dead', subject, text, fixHalfDeadEdge(db, edge));
  const differs = row.state === 'live';
  return new Finding(differs ? 'edge-differs' : 'edge-dead', subject, text, await fixDeadEdge(db, edge));
}

/** Every edge of a live repo leads to bytes that can be read, of the size and hash it says. */
export async function* checkEdges(app: Pick<App, 'db'>): AsyncGenerator<Finding> {
  let last: WeakRow | undefined;
  do {
    const { rows }: { rows: WeakRow[] } = await app.db.query(WEAK_EDGES, [
      last?.repo_id ?? null,
      last?.sha256 ?? null,
    ]);
    for (const row of rows) yield await findingOf(app.db, row);
    last = rows.length < BATCH ? undefined : rows.at(-1);
  } while (last !== undefined);
}
