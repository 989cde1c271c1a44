import { addAbortSignal, Readable } from 'node:stream';

/**
 * Bytes for who passes them on at once: a piece is valid only until the next one is asked for, since its memory is
 * then used again. It gives exactly the bytes promised or throws. Who stops early calls `return` (leaving a `for await`
 * does), also before the first piece: only then are files and sockets behind it free.
 */
export interface Pieces {
  next(): Promise<IteratorResult<Buffer, undefined>>;
  return(): Promise<IteratorResult<Buffer, undefined>>;
  [Symbol.asyncIterator](): Pieces;
}

const DONE: IteratorResult<Buffer, undefined> = { done: true, value: undefined };

/**
 * Makes pieces of an iterator; `onEnd` is called once, however the reading ends, even when it never began (a generator
 * that was not started runs no `finally`). One call of next at a time.
 */
export function piecesOf(
  source: AsyncIterator<Buffer, unknown, undefined>,
  onEnd: () => void | Promise<void> = () => {},
): Pieces {
  let ended: Promise<void> | undefined;
  const end = () => (ended ??= Promise.resolve(onEnd()));
  return {
    async next() {
      if (ended !== undefined) return DONE;
      try {
        const result = await source.next();
        if (result.done !== true) return result;
      } catch (error) {
        await end();
        throw error;
      }
      await end();
      return DONE;
    },
    async return() {
      if (ended !== undefined) return DONE;
      try {
        await source.return?.();
      } finally {
        await end();
      }
      return DONE;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The pieces as a stream, each copied: for readers that keep what they get. Destroying it ends the pieces. */
export function readableOf(pieces: Pieces, signal?: AbortSignal): Readable {
  const stream = new Readable({
    read() {
      pieces.next().then(
        (result) => this.push(result.done ? null : Buffer.from(result.value)),
        (error) => this.destroy(error),
      );
    },
  });
  stream.once('close', () => void pieces.return().catch(() => {})); // what fails when given up changes nothing
  return signal ? addAbortSignal(signal, stream) : stream;
}
