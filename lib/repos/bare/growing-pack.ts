import { open } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;

/**
 * A pack that is still being written, for those who send it on meanwhile. They read what is in the file already, so
 * that a slow client never holds up the writing. A reader comes to the end only when the pack is whole; when the
 * writing fails it gets the error instead.
 */
export class GrowingPack {
  #path: string;
  #writtenBytes = 0;
  #isWhole = false;
  #failure: Error | undefined;
  #change = Promise.withResolvers<void>();

  /** `path`: the file, which is there already and empty. */
  constructor(path: string) {
    this.#path = path;
  }

  #tell(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers();
    resolve();
  }

  /** So many bytes of it are in the file. */
  grewTo(sizeBytes: number): void {
    this.#writtenBytes = sizeBytes;
    this.#tell();
  }

  /** All of it is in the file, its checksum included: so many bytes. */
  end(sizeBytes: number): void {
    this.#isWhole = true;
    this.grewTo(sizeBytes);
  }

  /** The file has another name from now on. */
  movedTo(path: string): void {
    this.#path = path;
  }

  /** It will never be whole. */
  fail(failure: Error): void {
    this.#failure ??= failure;
    this.#tell();
  }

  async #open() {
    for (;;) {
      const path = this.#path;
      try {
        return await open(path);
      } catch (error) {
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#path === path) throw error; // not just renamed
      }
    }
  }

  /** Its bytes, as they come. Throws what the writing failed with, and the signal's reason. */
  async *read(signal: AbortSignal): AsyncGenerator<Buffer> {
    const file = await this.#open();
    try {
      for (let at = 0; ; ) {
        signal.throwIfAborted();
        if (this.#failure !== undefined) throw this.#failure;
        const ready = this.#writtenBytes - at;
        if (ready === 0 && this.#isWhole) return;
        if (ready === 0) {
          await this.#change.promise;
          continue;
        }
        const room = Buffer.allocUnsafe(Math.min(ready, CHUNK_BYTES));
        const { bytesRead } = await file.read(room, 0, room.length, at);
        if (bytesRead === 0) throw new Error(`a pack of ${this.#writtenBytes} bytes ends at ${at}`);
        at += bytesRead;
        yield room.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
}
