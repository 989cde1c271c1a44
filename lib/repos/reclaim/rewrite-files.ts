import { transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { App } from '#lib/identity/context.ts';
import { rewriteTerms, selectRewritable, storeRewriteLogs } from '../files/xet/rewrite-terms.ts';
import { unpackTerms } from '../files/xet/terms.ts';
import { moveTerms, type Packing } from './pack-chunks.ts';
import type { Run } from './types.ts';

/** Files that use one of the xorbs. */
const USERS = 'f.id > $2 AND f.id IN (SELECT file_id FROM xet_file_xorb WHERE xorb_id = ANY($1::bigint[]))';

/**
 * Lets the files that use the packed xorbs use the new one. The xorbs are locked first, as in a registration: the old
 * and the new one must be live, and nobody registers a file with them meanwhile. A file that changed since it was read,
 * or that uses a chunk which was not copied, stays as it is.
 */
export async function rewriteFiles(app: App, run: Run, packing: Packing, newXorbId: number): Promise<void> {
  const oldIds = packing.sources.map(({ id }) => id);
  for (let after = 0; ; ) {
    run.signal.throwIfAborted();
    const rows = await selectRewritable(app.db, USERS, [oldIds, after]);
    const rewrites = rows.flatMap((row) => {
      const terms = moveTerms(unpackTerms(row.terms), packing, newXorbId);
      return terms === null ? [] : { row, terms };
    });
    const logs = await storeRewriteLogs(app, rewrites, run.signal);
    await transaction(app.db, async (tx) => {
      const ids = [...oldIds, newXorbId];
      const { rowCount } = await tx.query(
        `SELECT 1 FROM xorb WHERE id = ANY($1::bigint[]) AND state = 'live' ORDER BY id FOR UPDATE`,
        [ids],
      );
      if (rowCount !== ids.length) return;
      await failpoint('reclaim.repacking');
      await rewriteTerms(tx, rewrites, logs);
    });
    const end = rows.at(-1);
    if (end === undefined) return;
    after = end.id;
  }
}
