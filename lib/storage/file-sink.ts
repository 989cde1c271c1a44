import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { droppedBuffers } from '#lib/base/free-buffers.ts';
import { LengthMismatch } from './exact-length.ts';

/** What waits in memory while the system takes what came before. */
const WAITING_BYTES = 1 << 18;
/** After so many bytes the disk begins, beside the writing: the end waits for the last of them alone. */
const FLUSH_BYTES = 16 * 2 ** 20;

type Done = (error?: Error | null) => void;

/**
 * Writes a body into an open file, whatever has come at once, and fsyncs it at the end: it finishes when the bytes are
 * durable. Fails with LengthMismatch when the body is longer than `sizeBytes`, or shorter, unless it may be that and has
 * a byte. Closes nothing.
 */
export class FileSink extends Writable {
  readonly #file: FileHandle;
  readonly #sizeBytes: number;
  readonly #mayBeShort: boolean;
  #written = 0;
  #unflushedBytes = 0;
  #isFlushing = false;
  #flushed: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, sizeBytes: number, mayBeShort: boolean) {
    super({ highWaterMark: WAITING_BYTES, decodeStrings: true });
    this.#file = file;
    this.#sizeBytes = sizeBytes;
    this.#mayBeShort = mayBeShort;
  }

  get writtenBytes(): number {
    return this.#written;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    void tell(this.#writeAll([chunk]), done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    void tell(this.#writeAll(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: Done): void {
    const isShort = this.#written < this.#sizeBytes;
    if (isShort && !(this.#mayBeShort && this.#written > 0))
      done(new LengthMismatch(this.#sizeBytes, this.#written, true));
    else void tell(this.#sync(), done);
  }

  async #writeAll(chunks: Buffer[]): Promise<void> {
    const lengthBytes = chunks.reduce((sum, { length }) => sum + length, 0);
    if (this.#written + lengthBytes > this.#sizeBytes)
      throw new LengthMismatch(this.#sizeBytes, this.#written + lengthBytes, false);
    let left = chunks;
    for (let leftBytes = lengthBytes; leftBytes > 0; ) {
      const { bytesWritten } = await this.#file.writev(left);
      leftBytes -= bytesWritten;
      this.#written += bytesWritten;
      if (leftBytes > 0) left = rest(left, bytesWritten);
    }
    droppedBuffers(lengthBytes);
    this.#flushAhead(lengthBytes);
  }

  /** One flush at a time. After one that failed there is none: the system tells of an error once. */
  #flushAhead(newBytes: number): void {
    this.#unflushedBytes += newBytes;
    if (this.#unflushedBytes < FLUSH_BYTES || this.#isFlushing) return;
    this.#unflushedBytes = 0;
    this.#isFlushing = true;
    this.#flushed = this.#file.datasync().then(() => {
      this.#isFlushing = false;
    });
    this.#flushed.catch(() => {}); // the end tells
  }

  async #sync(): Promise<void> {
    await this.#flushed;
    await this.#file.sync();
  }
}

async function tell(work: Promise<void>, done: Done): Promise<void> {
  const failure = await work.then(
    () => null,
    (error: Error) => error,
  );
  done(failure);
}

/** What a write that the system cut short has left. */
function rest(chunks: readonly Buffer[], takenBytes: number): Buffer[] {
  const left: Buffer[] = [];
  let skip = takenBytes;
  for (const chunk of chunks) {
    if (skip < chunk.length) left.push(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return left;
}
