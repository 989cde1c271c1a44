import { hubError } from '#lib/base/errors.ts';
import type { ReadRange } from './read-range.ts';

const FIRST_WINDOW_BYTES = 256 * 1024;
const LARGEST_WINDOW_BYTES = 4 * 1024 * 1024;

/** A forward reader of little-endian values over ranges, with a hard limit on how far it goes. */
export class HeaderCursor {
  readonly #read: ReadRange;
  readonly #limit: number;
  #buffer: Buffer = Buffer.alloc(0);
  #bufferStart = 0;
  #position = 0;
  #window = FIRST_WINDOW_BYTES;

  constructor(read: ReadRange, limitBytes: number) {
    this.#read = read;
    this.#limit = limitBytes;
  }

  get position(): number {
    return this.#position;
  }

  /** Makes the next `count` bytes readable by the synchronous getters. Throws invalid_object past the limit. */
  async need(count: number): Promise<void> {
    const at = this.#position - this.#bufferStart;
    if (at + count <= this.#buffer.length) return;
    if (this.#position + count > this.#limit)
      throw hubError('invalid_object', `the header does not end within ${this.#limit} bytes`);
    const wanted = Math.max(count, this.#window);
    const end = Math.min(this.#position + wanted, this.#limit) - 1;
    this.#buffer = await this.#read(this.#position, end);
    this.#bufferStart = this.#position;
    this.#window = Math.min(this.#window * 2, LARGEST_WINDOW_BYTES);
  }

  /** Bytes that can be read now without `need`. */
  get ready(): number {
    return this.#buffer.length - (this.#position - this.#bufferStart);
  }

  skip(count: number): void {
    this.#position += count;
    if (this.#position > this.#limit)
      throw hubError('invalid_object', `the header does not end within ${this.#limit} bytes`);
  }

  /** Takes `count` ready bytes. */
  take(count: number): Buffer {
    const at = this.#position - this.#bufferStart;
    this.#position += count;
    return this.#buffer.subarray(at, at + count);
  }

  u32(): number {
    return this.take(4).readUInt32LE(0);
  }

  /** A 64-bit length or count; throws invalid_object when it is absurd (2^48 or more). */
  u64(): number {
    const bytes = this.take(8);
    const high = bytes.readUInt32LE(4);
    if (high > 0xffff) throw hubError('invalid_object', 'a length in the header is impossibly large');
    return high * 2 ** 32 + bytes.readUInt32LE(0);
  }
}
