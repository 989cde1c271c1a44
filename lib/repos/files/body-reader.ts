import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import { LengthMismatch } from '#lib/storage/exact-length.ts';

/** What of a piece may lie between the socket and the store. */
const BETWEEN_BYTES = 1 << 17;

/**
 * Whether the chunks of a body are nobody's besides, so that a store may free them: a request's are, what somebody made
 * may be needed again.
 */
export const givesAway = (body: Readable): boolean => body instanceof IncomingMessage;

/** What is wanted of a body. */
export interface Want {
  readonly sizeBytes: number;
  /** Fewer will do, at least one, when it breaks off. */
  readonly mayBeShort?: boolean;
  /** The body must end with it: what is longer is an error before any of it looks whole. */
  readonly isLast?: boolean;
  /** Is told each chunk. */
  readonly see: (chunk: Buffer) => void;
  /** Is called once all that will come was taken from the body, with the reason when that is less than was wanted. */
  readonly done?: (bytes: number, brokenOff?: Error) => void;
}

/**
 * Takes a body apart into streams of known length, one after the other, without a promise per chunk: as fast as a pipe.
 * The body itself is never destroyed, so that an answer can be sent; it stands still between two pieces.
 */
export class BodyReader {
  readonly #body: Readable;
  #rest: Buffer | null = null;
  #piece: Piece | null = null;
  #failure: Error | null = null;
  #hasEnded = false;

  constructor(body: Readable) {
    this.#body = body;
    body.on('data', this.#onData);
    body.pause();
    body.on('end', this.#onEnd);
    body.on('error', this.#onError);
    body.on('close', this.#onClose);
  }

  /** The next bytes. A body that breaks off ends the piece in an error, or early where that is wanted. */
  take(want: Want): Readable {
    const piece = new Piece(want, () => this.#more());
    this.#piece = piece;
    return piece;
  }

  /** Lets go of the body. */
  end(): void {
    this.#body.pause();
    this.#body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    // Its errors stay heard: a connection that breaks now is nobody's concern any more.
  }

  /** The piece has room. */
  #more(): void {
    const rest = this.#rest;
    this.#rest = null;
    if (rest) this.#onData(rest);
    else if (this.#failure) this.#piece?.breakOff(this.#failure);
    else if (this.#hasEnded) this.#piece?.end();
    else this.#body.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    const piece = this.#piece;
    const taken = piece?.give(chunk) ?? { usedBytes: 0, wantsMore: false };
    if (taken.usedBytes < chunk.length) this.#rest = chunk.subarray(taken.usedBytes);
    if (!taken.wantsMore) this.#body.pause();
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#piece?.end();
  };

  readonly #onError = (error: Error): void => {
    this.#failure ??= error;
    this.#piece?.breakOff(this.#failure);
  };

  readonly #onClose = (): void => {
    if (!this.#hasEnded) this.#onError(hubError('invalid_input', 'the client closed the connection'));
  };
}

/** A stream that is given exactly its bytes, or as many as come. */
class Piece extends Readable {
  readonly #want: Want;
  readonly #more: () => void;
  #left: number;
  #isWhole = false;

  constructor(want: Want, more: () => void) {
    super({ highWaterMark: BETWEEN_BYTES });
    this.#want = want;
    this.#left = want.sizeBytes;
    this.#more = more;
  }

  /** Takes what it needs of the chunk, and says whether more may come at once. */
  give(chunk: Buffer): { usedBytes: number; wantsMore: boolean } {
    if (this.#isWhole || this.destroyed) return { usedBytes: 0, wantsMore: false };
    const { sizeBytes, isLast = false, see } = this.#want;
    if (isLast && chunk.length > this.#left) {
      this.destroy(new LengthMismatch(sizeBytes, sizeBytes + chunk.length - this.#left, false));
      return { usedBytes: 0, wantsMore: false };
    }
    const used = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= used.length;
    see(used);
    const hasRoom = this.push(used);
    if (this.#left > 0) return { usedBytes: used.length, wantsMore: hasRoom };
    if (!isLast) this.#finish(sizeBytes);
    return { usedBytes: used.length, wantsMore: isLast }; // the last piece looks for the end
  }

  /** The body has ended. */
  end(): void {
    const { sizeBytes } = this.#want;
    if (this.#left > 0) this.breakOff(new LengthMismatch(sizeBytes, sizeBytes - this.#left, true));
    else if (!this.#isWhole && !this.destroyed) this.#finish(sizeBytes);
  }

  /** No more will come. */
  breakOff(failure: Error): void {
    if (this.#isWhole || this.destroyed) return;
    const { sizeBytes, mayBeShort } = this.#want;
    if (mayBeShort && this.#left < sizeBytes) this.#finish(sizeBytes - this.#left, failure);
    else this.destroy(failure);
  }

  override _read(): void {
    if (!this.#isWhole) this.#more();
  }

  #finish(bytes: number, brokenOff?: Error): void {
    this.#isWhole = true;
    this.push(null);
    this.#want.done?.(bytes, brokenOff);
  }
}

/** Reads a body of unknown length in buffers: each has `limit()` bytes, the last one may have fewer. */
export async function* inBuffers(body: Readable, limit: () => number): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (let chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
    for (;;) {
      const room = limit() - bytes;
      const used = chunk.subarray(0, room);
      chunks.push(used);
      bytes += used.length;
      if (bytes < limit()) break;
      yield Buffer.concat(chunks);
      chunks = [];
      bytes = 0;
      chunk = chunk.subarray(used.length);
      if (chunk.length === 0) break;
    }
  if (bytes > 0) yield Buffer.concat(chunks);
}
