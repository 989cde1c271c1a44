import { transaction } from '#lib/base/db.ts';
import type { App } from '#lib/identity/context.ts';
import { hashText } from '../files/xet/hashes.ts';
import { unpackTerms } from '../files/xet/terms.ts';
import { Finding, type Fix } from './finding.ts';
import { fixMissingLogs } from './fix-logs.ts';

const BATCH = 500;

interface FileRow {
  id: number;
  hash: Buffer;
  terms: Buffer;
  xorbs: number[];
  dead: string[];
  is_logged: boolean;
}

/** Files that an edge of a live repo needs, with what their edges say. */
const FILES = `SELECT x.id, x.hash, x.terms,
    ARRAY(SELECT f.xorb_id::float8 FROM xet_file_xorb f WHERE f.file_id = x.id) AS xorbs,
    ARRAY(SELECT encode(b.hash, 'hex') FROM xet_file_xorb f JOIN xorb b ON b.id = f.xorb_id
          JOIN stored_object o ON o.id = b.object_id
          WHERE f.file_id = x.id AND (b.state <> 'live' OR o.state <> 'live') LIMIT 3) AS dead,
    EXISTS (SELECT FROM xet_shard_file l JOIN xet_shard s ON s.id = l.shard_id JOIN stored_object o ON o.id = s.object_id
            WHERE l.file_id = x.id AND o.state = 'live') AS is_logged
  FROM xet_file x
  WHERE x.id > $1 AND EXISTS (SELECT FROM repo_file e JOIN repo r ON r.id = e.repo_id AND r.deleted_at IS NULL
                              WHERE e.xet_file_id = x.id)
  ORDER BY x.id LIMIT ${BATCH}`;

/** Writes the edges of a file anew from its chunk list; throws (by the foreign key) when a xorb of it has no row. */
function fixXorbEdges(app: Pick<App, 'db'>, fileId: number, wanted: readonly number[]): Fix {
  return {
    key: `xet-edges:${fileId}`,
    what: `write the edges of Xet file ${fileId} anew from its chunk list`,
    run: () =>
      transaction(app.db, async (tx) => {
        await tx.query('DELETE FROM xet_file_xorb WHERE file_id = $1 AND NOT xorb_id = ANY($2::bigint[])', [
          fileId,
          wanted,
        ]);
        await tx.query(
          `INSERT INTO xet_file_xorb (file_id, xorb_id) SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING`,
          [fileId, wanted],
        );
        return `${wanted.length} edges`;
      }),
  };
}

/**
 * Every Xet file that a live repo holds has exactly the edges of its chunk list, none to a xorb that is not in use,
 * and is told of by a log in the store.
 */
export async function* checkXetRows(app: App): AsyncGenerator<Finding> {
  for (let last = 0; ; ) {
    const { rows } = await app.db.query<FileRow>(FILES, [last]);
    for (const row of rows) {
      const subject = `Xet file ${hashText(row.hash)}`;
      const wanted = [...new Set(unpackTerms(row.terms).map((term) => term.xorbId))].sort((a, b) => a - b);
      const held = [...row.xorbs].sort((a, b) => a - b);
      if (wanted.join() !== held.join())
        yield new Finding(
          'xet-edges-differ',
          subject,
          `has edges to ${held.length} xorbs, its chunk list names ${wanted.length}`,
          fixXorbEdges(app, row.id, wanted),
        );
      for (const hash of row.dead)
        yield new Finding(
          'xorb-dead',
          subject,
          `needs xorb ${hashText(Buffer.from(hash, 'hex'))}, which is not live`,
        );
      if (!row.is_logged)
        yield new Finding('log-missing', subject, 'is in no log in the store', fixMissingLogs(app));
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < BATCH) return;
    last = end.id;
  }
}
