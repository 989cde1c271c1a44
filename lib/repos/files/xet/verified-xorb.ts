import type { App } from '#lib/identity/context.ts';
import type { ChunkTable } from './chunk-table.ts';
import { hashText } from './hashes.ts';
import { XetInvalid } from './invalid.ts';
import { XorbSplitter } from './split-xorb.ts';
import { workerPool } from './worker-pool.ts';

/** Pieces of one upload that are being hashed; with the one being filled 6 MB. */
const PIECES_IN_FLIGHT = 3;

/**
 * Passes an uploaded xorb through unchanged while worker threads decode and hash it, and holds its last part back
 * until all of it is known to hash to what was expected: whoever stores the bytes cannot complete anything else. The
 * footer of old clients passes as zeros, since it would give chunk hashes away and the length is promised already.
 */
export class VerifiedXorb {
  /** Why pass() threw, since whoever reads from it may wrap it. */
  failure: unknown;
  /** All chunks, once pass() has ended. */
  table: ChunkTable = Buffer.alloc(0);
  readonly #app: App;
  readonly #expected: Buffer;
  readonly #splitter = new XorbSplitter();
  readonly #inFlight: Promise<Uint8Array>[] = [];
  readonly #rows: Uint8Array[] = [];

  constructor(app: App, expected: Buffer) {
    this.#app = app;
    this.#expected = expected;
  }

  /** The bytes to store. Throws XetInvalid. */
  async *pass(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      yield* this.#verified(body);
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  async *#verified(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let held: Buffer | undefined;
    for await (const part of body) {
      const before = this.#splitter.footerBytes;
      for (const piece of this.#splitter.push(part)) this.#start(piece);
      while (this.#inFlight.length > PIECES_IN_FLIGHT) await this.#settleOne();
      if (held !== undefined) yield held;
      held = blankEnd(part, this.#splitter.footerBytes - before);
    }
    for (const piece of this.#splitter.finish()) this.#start(piece);
    while (this.#inFlight.length > 0) await this.#settleOne();
    this.table = Buffer.concat(this.#rows);
    const { hash } = await workerPool(this.#app).run('hashXorb', { table: this.table });
    if (!this.#expected.equals(hash))
      throw new XetInvalid(`the chunks hash to ${hashText(hash)}, not to the hash in the address`);
    if (held !== undefined) yield held;
  }

  #start({ bytes, storedStart, rawStart }: { bytes: Buffer; storedStart: number; rawStart: number }): void {
    const input = { piece: bytes, origin: { storedStart, rawStart } };
    const hashed = workerPool(this.#app)
      .run('hashRecords', input, [bytes.buffer as ArrayBuffer])
      .then(({ piece, rows }) => {
        this.#splitter.giveBack(piece.buffer as ArrayBuffer);
        return rows;
      });
    hashed.catch(() => {}); // it is awaited later, or an earlier piece has failed
    this.#inFlight.push(hashed);
  }

  async #settleOne(): Promise<void> {
    this.#rows.push(await (this.#inFlight.shift() as Promise<Uint8Array>));
  }
}

/** The part with its last `bytes` bytes as zeros. */
function blankEnd(part: Buffer, bytes: number): Buffer {
  if (bytes === 0) return part;
  const blanked = Buffer.from(part);
  blanked.fill(0, Math.max(0, part.length - bytes));
  return blanked;
}
