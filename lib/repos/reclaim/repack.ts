import { Readable } from 'node:stream';
import { transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { chunkCount, chunkHashAt, rawEnd } from '../files/xet/chunk-table.ts';
import { chunkTables, insertXorb, liveXorbs } from '../files/xet/db.ts';
import { VerifiedXorb } from '../files/xet/verified-xorb.ts';
import { xorbHash } from '../files/xet/xorb.ts';
import { findHalfDead, type HalfDead } from './find-half-dead.ts';
import { groupForPacking, type Packing, packChunks } from './pack-chunks.ts';
import { rewriteFiles } from './rewrite-files.ts';
import type { Run } from './types.ts';

/** New xorbs of one run: 12 GiB; the next run goes on. */
const MAX_NEW_XORBS = 200;

/** The records of the new xorb, read from the old ones. */
async function* recordsOf(run: Run, { runs }: Packing): AsyncGenerator<Buffer> {
  for (const { objectKey, start, end } of runs) {
    const source = await run.app.store.get(objectKey, { range: { start, end }, signal: run.signal });
    yield* source as AsyncIterable<Buffer>;
  }
}

/**
 * Stores the new xorb: every chunk is decoded and hashed on its way, and the object is completed only when the whole is
 * what its list says. Returns its id.
 */
async function storePacked(app: App, run: Run, packing: Packing): Promise<number> {
  const { table, storedBytes } = packing;
  const domainId = packing.sources[0]?.domainId as number;
  const hash = xorbHash(table);
  const known = (await liveXorbs(app.db, domainId, [hash]))[0];
  if (known !== undefined) return known.id; // a run that died here before
  const key = newObjectKey('xorb');
  const verified = new VerifiedXorb(app, hash);
  const body = Readable.from(verified.pass(recordsOf(run, packing)), { objectMode: false });
  await app.store.put(key, body, { sizeBytes: storedBytes, signal: run.signal }).catch((error) => {
    throw verified.failure ?? error;
  });
  await failpoint('reclaim.repack-stored');
  const last = chunkCount(table) - 1;
  const xorb = {
    domainId,
    repoId: 0 as RepoId,
    hash,
    table,
    chunkCount: last + 1,
    rawBytes: rawEnd(table, last),
    storedBytes,
    objectKey: key,
    objectBytes: storedBytes,
    unnamedBy: null,
  };
  const outcome = await transaction(app.db, (tx) => insertXorb(tx, xorb, null));
  if (outcome === 'surplus') await app.store.delete([key]);
  const row = (await liveXorbs(app.db, domainId, [hash]))[0];
  if (row === undefined) throw new Error('a packed xorb was condemned at once');
  return row.id;
}

async function packGroup(app: App, run: Run, sources: readonly HalfDead[]): Promise<void> {
  const oldIds = sources.map(({ id }) => id);
  const packing = packChunks(sources, await chunkTables(app.db, oldIds));
  const xorbId = await storePacked(app, run, packing);
  await rewriteFiles(app, run, packing, xorbId);
  const { table } = packing;
  const hashes = Array.from({ length: chunkCount(table) }, (_, i) => chunkHashAt(table, i));
  await transaction(app.db, async (tx) => {
    const { rows } = await tx.query(`SELECT 1 FROM xorb WHERE id = $1 AND state = 'live' FOR UPDATE`, [
      xorbId,
    ]);
    if (rows.length === 1)
      await tx.query(
        'UPDATE chunk_index SET xorb_id = $1 WHERE xorb_id = ANY($2::bigint[]) AND chunk_hash = ANY($3::bytea[])',
        [xorbId, oldIds, hashes],
      );
  });
}

/**
 * Copies what files still use of half-dead xorbs into new ones and lets the files use those. Chunks go as they are
 * stored; file hashes do not change, since they do not depend on the layout. The old xorbs stay for readers that have
 * begun and for clients that remember them, until their pins have passed; then they go like any unused xorb. Killed
 * anywhere, files use the one or the other, and the next run finds the new xorb. Returns how many xorbs were copied.
 */
export async function repack(app: App, run: Run): Promise<number> {
  const percent = run.app.config.LARDER_GC_REPACK_PERCENT;
  let [copied, made] = [0, 0];
  if (percent === 0) return 0;
  for await (const found of findHalfDead(run, percent))
    for (const sources of groupForPacking(found)) {
      run.signal.throwIfAborted();
      if (made === MAX_NEW_XORBS) return copied;
      try {
        await packGroup(app, run, sources);
      } catch (error) {
        run.signal.throwIfAborted();
        // a damaged chunk is for scrub and check to judge; the files stay as they are
        app.log.error({ err: error, xorbs: sources.map(({ id }) => id) }, 'xorbs could not be repacked');
        continue;
      }
      made++;
      copied += sources.length;
    }
  return copied;
}
