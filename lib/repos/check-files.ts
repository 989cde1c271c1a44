import type { App } from '#lib/identity/context.ts';

const BATCH = 1000;
const PARALLEL = 8;

interface ObjectRow {
  id: number;
  key: string;
  size_bytes: number;
}

/** Every live object row has its object in the store, of the size it says. */
async function* checkObjects(app: Pick<App, 'db' | 'store'>): AsyncGenerator<string> {
  for (let last = 0; ; ) {
    const { rows } = await app.db.query<ObjectRow>(
      `SELECT id, key, size_bytes FROM stored_object WHERE id > $1 AND state = 'live' ORDER BY id LIMIT $2`,
      [last, BATCH],
    );
    for (let at = 0; at < rows.length; at += PARALLEL) {
      const slice = rows.slice(at, at + PARALLEL);
      const heads = await Promise.all(slice.map((row) => app.store.head(row.key)));
      for (const [index, row] of slice.entries()) {
        const info = heads[index];
        if (!info) yield `object ${row.key} is missing in the store`;
        else if (info.sizeBytes !== row.size_bytes)
          yield `object ${row.key} has ${info.sizeBytes} bytes in the store instead of ${row.size_bytes}`;
      }
    }
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.id;
  }
}

/** Rows whose edges lead to something that is gone, is of another size or holds other bytes. */
const BROKEN_EDGES = [
  `SELECT 'repo ' || e.repo_id || ' holds ' || encode(e.sha256, 'hex') || ' in object ' || o.key || ', which is ' ||
          CASE WHEN o.state <> 'live' THEN o.state ELSE 'of another size or hash' END AS problem
   FROM repo_file e JOIN stored_object o ON o.id = e.object_id
   WHERE o.state <> 'live' OR o.size_bytes <> e.size_bytes OR o.sha256 IS DISTINCT FROM e.sha256`,
  `SELECT 'repo ' || e.repo_id || ' holds ' || encode(e.sha256, 'hex') || ' as a Xet file of another size or hash' AS problem
   FROM repo_file e JOIN xet_file x ON x.id = e.xet_file_id
   WHERE x.size_bytes <> e.size_bytes OR x.sha256 <> e.sha256 OR (x.sha256_state = 'bad' AND e.object_id IS NULL)`,
  `SELECT 'Xet file ' || f.file_id || ' needs xorb ' || encode(x.hash, 'hex') || ', which is not live' AS problem
   FROM xet_file_xorb f JOIN xorb x ON x.id = f.xorb_id JOIN stored_object o ON o.id = x.object_id
   WHERE x.state <> 'live' OR o.state <> 'live'`,
];

/**
 * Compares the rows about large files with each other and with the store. Yields each problem as one line; reads
 * no contents. Bounded memory; one HEAD per object.
 */
export async function* checkFiles(app: Pick<App, 'db' | 'store'>): AsyncGenerator<string> {
  for (const text of BROKEN_EDGES) {
    const { rows } = await app.db.query<{ problem: string }>(`${text} LIMIT 1000`);
    for (const { problem } of rows) yield problem;
  }
  yield* checkObjects(app);
}
