import { loadLayouts } from '../files/xet/layouts.ts';
import { unpackTerms } from '../files/xet/terms.ts';
import { before, type Run } from './types.ts';

const XORBS_PER_PASS = 5000;
const FILES_PER_PAGE = 200;

/** A xorb of which files use little. */
export interface HalfDead {
  readonly id: number;
  readonly domainId: number;
  readonly objectKey: string;
  /** Chunks that files use, ascending. */
  readonly live: readonly number[];
  readonly liveRawBytes: number;
}

interface XorbRow {
  id: number;
  domain_id: number;
  chunk_count: number;
  raw_bytes: number;
  key: string;
}

/** Which chunks of these xorbs some file uses: one byte a chunk, 40 MB a pass at most. */
async function markLive(run: Run, xorbs: readonly XorbRow[]): Promise<Map<number, Uint8Array>> {
  const live = new Map(xorbs.map(({ id, chunk_count }) => [id, new Uint8Array(chunk_count)]));
  const ids = xorbs.map(({ id }) => id);
  for (let last = 0; ; ) {
    run.signal.throwIfAborted();
    const { rows } = await run.app.db.query<{ id: number; terms: Buffer }>(
      `SELECT id, terms FROM xet_file WHERE id > $2
         AND id IN (SELECT file_id FROM xet_file_xorb WHERE xorb_id = ANY($1::bigint[]))
       ORDER BY id LIMIT ${FILES_PER_PAGE}`,
      [ids, last],
    );
    for (const { terms } of rows)
      for (const { xorbId, start, end } of unpackTerms(terms)) live.get(xorbId)?.fill(1, start, end);
    const end = rows.at(-1);
    if (end === undefined || rows.length < FILES_PER_PAGE) return live;
    last = end.id;
  }
}

/**
 * Live xorbs of which files use some, but less than `percent` of the raw bytes, oldest first, some thousand at a time.
 * Reads the terms of all Xet files once; takes no locks.
 */
export async function* findHalfDead(run: Run, percent: number): AsyncGenerator<HalfDead[]> {
  for (let last = 0; ; ) {
    const { rows } = await run.app.db.query<XorbRow>(
      `SELECT x.id, x.domain_id, x.chunk_count, x.raw_bytes, o.key FROM xorb x JOIN stored_object o ON o.id = x.object_id
       WHERE x.id > $1 AND x.state = 'live' AND o.state = 'live' AND x.created_at <= $2
       ORDER BY x.id LIMIT ${XORBS_PER_PASS}`,
      [last, before(run, run.graceMs)],
    );
    const live = await markLive(run, rows);
    const found: HalfDead[] = [];
    for (const row of rows) {
      const used: number[] = [];
      for (const [i, isUsed] of live.get(row.id)?.entries() ?? []) if (isUsed) used.push(i);
      if (used.length === 0 || used.length === row.chunk_count) continue;
      const layout = (await loadLayouts(run.app, [row.id])).get(row.id);
      if (layout === undefined) continue;
      const rawOf = (i: number) => (layout.rawEnds[i] ?? 0) - (layout.rawEnds[i - 1] ?? 0);
      const liveRawBytes = used.reduce((sum, i) => sum + rawOf(i), 0);
      if (liveRawBytes * 100 < row.raw_bytes * percent)
        found.push({ id: row.id, domainId: row.domain_id, objectKey: row.key, live: used, liveRawBytes });
    }
    yield found;
    const end = rows.at(-1);
    if (end === undefined || rows.length < XORBS_PER_PASS) return;
    last = end.id;
  }
}
