import type { App } from '#lib/identity/context.ts';
import type { ChunkTable } from './chunk-table.ts';
import { XorbSplitter } from './split-xorb.ts';
import { workerPool } from './worker-pool.ts';

const PIECES_IN_FLIGHT = 3;

/** What a stored object turned out to be. */
export interface HashedXorb {
  readonly table: ChunkTable;
  /** 32 raw bytes. */
  readonly hash: Buffer;
}

/**
 * Reads a stored xorb from its first byte to its last, decodes and hashes every chunk in the worker threads and
 * returns its chunk list and its Merkle root: proof of its bytes that needs no row. About 6 MB of memory. Throws
 * XetInvalid when it is not a xorb (any more), ObjectMissing, and what the store throws.
 */
export async function hashStoredXorb(
  app: Pick<App, 'db' | 'store'>,
  key: string,
  signal?: AbortSignal,
): Promise<HashedXorb> {
  const splitter = new XorbSplitter({ isStored: true });
  const pool = workerPool(app);
  const inFlight: Promise<Uint8Array>[] = [];
  const rows: Uint8Array[] = [];
  const start = ({ bytes, storedStart, rawStart }: ReturnType<XorbSplitter['push']>[number]) => {
    const input = { piece: bytes, origin: { storedStart, rawStart } };
    const hashed = pool.run('hashRecords', input, [bytes.buffer as ArrayBuffer]).then((done) => {
      splitter.giveBack(done.piece.buffer as ArrayBuffer);
      return done.rows;
    });
    hashed.catch(() => {}); // it is awaited later, or an earlier piece has failed
    inFlight.push(hashed);
  };
  const settleOne = async () => {
    rows.push(await (inFlight.shift() as Promise<Uint8Array>));
  };
  const source = await app.store.get(key, signal ? { signal } : {});
  for await (const part of source as AsyncIterable<Buffer>) {
    for (const piece of splitter.push(part)) start(piece);
    while (inFlight.length > PIECES_IN_FLIGHT) await settleOne();
  }
  for (const piece of splitter.finish()) start(piece);
  while (inFlight.length > 0) await settleOne();
  const table = Buffer.concat(rows);
  const { hash } = await pool.run('hashXorb', { table });
  return { table, hash: Buffer.from(hash) };
}
