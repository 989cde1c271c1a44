import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { droppedBuffers, freeBuffers } from '#lib/base/free-buffers.ts';
import { LengthMismatch } from './exact-length.ts';
import { MemoryBudget } from './memory-budget.ts';

const MIB = 2 ** 20;
/** Of all sinks in a process: what waits in memory while the system takes what came before. */
export const WRITE_BYTES = 24 * MIB;
const budget = new MemoryBudget(WRITE_BYTES);
/** One sink waits with no more: beyond this nothing gets faster. */
const MAX_WAITING_BYTES = MIB;
/** Before the queue, once that is full: two chunks of a socket. */
const BEFORE_QUEUE_BYTES = MIB / 8;
/** After so many bytes the disk begins, beside the writing: the end waits for the last of them alone. */
const FLUSH_BYTES = 16 * MIB;
/** The same where somebody wants to know what is durable, and how many bytes may come while the disk is at others. */
const TOLD_BYTES = 4 * MIB;
const UNTOLD_BYTES = 8 * MIB;

type Done = (error?: Error | null) => void;

/** What a body must be. */
export interface SinkOptions {
  readonly sizeBytes: number;
  /** It may end before, with a byte at least. */
  readonly mayBeShort?: boolean;
  /** Each chunk is the sink's alone: once it is written its memory is freed. */
  readonly mayFree?: boolean;
  /** Is told how many bytes are durable already; awaited, so that what it does not know of is at most 16 MiB. */
  readonly onDurable?: ((bytes: number) => Promise<void>) | undefined;
}

/**
 * Writes a body into an open file, whatever has come at once, and fsyncs it at the end: it finishes when the bytes are
 * durable. Fails with LengthMismatch when the body is longer than `sizeBytes`, or shorter, unless it may be that and has
 * a byte. Closes nothing.
 */
export class FileSink extends Writable {
  readonly #file: FileHandle;
  readonly #options: SinkOptions;
  readonly #leave = budget.enter();
  /** The queue is our own, because its bound moves with the number of sinks. */
  #queue: Buffer[] = [];
  /** Bytes of the queue and those that the system is at. */
  #heldBytes = 0;
  #writing: Promise<void> | null = null;
  /** Set while there is no room for more. */
  #goOn: Done | null = null;
  #written = 0;
  #unflushedBytes = 0;
  #isFlushing = false;
  #flushed: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, options: SinkOptions) {
    super({ highWaterMark: BEFORE_QUEUE_BYTES, decodeStrings: true });
    this.#file = file;
    this.#options = options;
  }

  get writtenBytes(): number {
    return this.#written;
  }

  /** Resolves when the system is at none of the bytes, after a failure too: nothing grows any more then. */
  get atRest(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#queue.push(chunk);
    this.#heldBytes += chunk.length;
    this.#goOn = done;
    this.#writing ??= this.#writeQueue();
    this.#takeMore();
  }

  override _final(done: Done): void {
    void tell(this.#end(), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#leave();
    done(error);
  }

  #takeMore(): void {
    const goOn = this.#goOn;
    if (goOn === null || this.#heldBytes >= Math.min(MAX_WAITING_BYTES, budget.share)) return;
    this.#goOn = null;
    goOn();
  }

  async #writeQueue(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.destroyed) {
        const chunks = this.#queue;
        this.#queue = [];
        await this.#writeAll(chunks);
        this.#takeMore();
      }
    } catch (error) {
      this.destroy(error as Error);
    } finally {
      this.#writing = null;
    }
  }

  async #writeAll(chunks: Buffer[]): Promise<void> {
    const lengthBytes = chunks.reduce((sum, { length }) => sum + length, 0);
    const { sizeBytes, mayFree = false, onDurable } = this.#options;
    if (this.#written + lengthBytes > sizeBytes)
      throw new LengthMismatch(sizeBytes, this.#written + lengthBytes, false);
    let left = chunks;
    for (let leftBytes = lengthBytes; leftBytes > 0; ) {
      const { bytesWritten } = await this.#file.writev(left);
      leftBytes -= bytesWritten;
      this.#written += bytesWritten;
      if (leftBytes > 0) left = rest(left, bytesWritten);
    }
    this.#heldBytes -= lengthBytes;
    droppedBuffers(mayFree ? freeBuffers(chunks) : lengthBytes);
    this.#unflushedBytes += lengthBytes;
    if (this.#unflushedBytes >= (onDurable ? TOLD_BYTES : FLUSH_BYTES)) this.#flushAhead();
    if (onDurable && this.#unflushedBytes >= UNTOLD_BYTES) await this.#flushed;
  }

  /** One flush at a time. After one that failed there is none: the system tells of an error once. */
  #flushAhead(): void {
    if (this.#isFlushing || this.destroyed) return;
    this.#unflushedBytes = 0;
    this.#isFlushing = true;
    this.#flushed = this.#flush(this.#written);
    this.#flushed.catch(() => {}); // the next write that waits for it tells, or the end
  }

  async #flush(durableBytes: number): Promise<void> {
    await this.#file.datasync();
    if (this.destroyed) return; // what was not told before the failure is not kept
    await this.#options.onDurable?.(durableBytes);
    this.#isFlushing = false;
  }

  async #end(): Promise<void> {
    await this.atRest;
    const { sizeBytes, mayBeShort = false } = this.#options;
    const isShort = this.#written < sizeBytes;
    if (isShort && !(mayBeShort && this.#written > 0))
      throw new LengthMismatch(sizeBytes, this.#written, true);
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
