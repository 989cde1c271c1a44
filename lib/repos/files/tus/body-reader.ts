import { Readable } from 'node:stream';
import { LengthMismatch } from '#lib/storage/exact-length.ts';

/**
 * Takes a body apart into pieces of known length without holding more than one chunk of it. A piece that is not
 * read to its end leaves the body open, so that an answer can be sent.
 */
export class BodyReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer | null = null;

  constructor(body: Readable) {
    this.#chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** The next chunk of at most `limit` bytes, or null at the end. */
  async #next(limit: number): Promise<Buffer | null> {
    const chunk = this.#rest ?? (await this.#read());
    if (chunk === null) return null;
    this.#rest = chunk.length > limit ? chunk.subarray(limit) : null;
    return chunk.length > limit ? chunk.subarray(0, limit) : chunk;
  }

  async #read(): Promise<Buffer | null> {
    const { done, value } = await this.#chunks.next();
    return done ? null : value;
  }

  /** Streams exactly the next `sizeBytes`, telling each chunk to `see`. Ends in an error when the body ends before. */
  take(sizeBytes: number, see: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
    const next = (limit: number) => this.#next(limit);
    return (async function* () {
      for (let left = sizeBytes; left > 0; ) {
        const chunk = await next(left);
        if (chunk === null) throw new LengthMismatch(sizeBytes, sizeBytes - left, true);
        left -= chunk.length;
        see(chunk);
        yield chunk;
      }
    })();
  }

  /** The next bytes in memory: `limit` of them, fewer only at the end of the body. For bodies of unknown length. */
  async fill(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let left = limit;
    while (left > 0) {
      const chunk = await this.#next(left);
      if (chunk === null) break;
      left -= chunk.length;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
}
