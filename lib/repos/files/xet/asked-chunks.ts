import type { Queryable } from '#lib/base/db.ts';
import { type IndexedChunk, isAskedFor } from './chunk-index.ts';
import { chunkHashAt } from './chunk-table.ts';
import { chunkTables } from './db.ts';
import type { Term } from './terms.ts';

const TABLES_AT_ONCE = 32;

/** Those chunks of a file that clients ask about, from the stored chunk lists: the first, and those that isAskedFor picks. */
export async function askedChunks(db: Queryable, terms: readonly Term[]): Promise<IndexedChunk[]> {
  const asked: IndexedChunk[] = [];
  for (let at = 0; at < terms.length; at += TABLES_AT_ONCE) {
    const batch = terms.slice(at, at + TABLES_AT_ONCE);
    const tables = await chunkTables(db, [...new Set(batch.map((term) => term.xorbId))]);
    for (const [i, { xorbId, start, end }] of batch.entries()) {
      const table = tables.get(xorbId);
      if (table === undefined) throw new Error(`xorb ${xorbId} is gone`);
      for (let c = start; c < end; c++) {
        const hash = chunkHashAt(table, c);
        const isFirst = at + i === 0 && c === start;
        if (isFirst || isAskedFor(hash)) asked.push({ hash: Buffer.from(hash), xorbId });
      }
    }
  }
  return asked;
}
