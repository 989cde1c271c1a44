import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { timed } from './children.ts';

const PIECE_BYTES = 8 * 1024 ** 2;

/**
 * Puts a machine before each measurement into the state of one that has run for a day: nothing left to write, memory
 * full of cached files. A virtual machine that gives free memory back to its host pays for each new page there: whoever
 * comes first after a pause, or keeps what he wrote, needs half as much processor time again, which says nothing about
 * him.
 */
export class PageCache {
  readonly #file: string;
  readonly #sizeBytes: number;
  #at = 0;

  private constructor(file: string, sizeBytes: number) {
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  /** Writes a file as large as the memory into `dir`, if that leaves `spareBytes`; else memory stays as it is. */
  static async open(dir: string, spareBytes: number): Promise<PageCache> {
    const { bavail, bsize } = await statfs(dir);
    const sizeBytes = totalmem() + spareBytes < bavail * bsize ? totalmem() : 0;
    const cache = new PageCache(join(dir, 'cached'), sizeBytes);
    if (sizeBytes > 0) await pipeline(zeros(sizeBytes), createWriteStream(cache.#file));
    return cache;
  }

  /** Waits until the disk is at rest and no memory is free. */
  async settle(): Promise<void> {
    await timed('sync', []);
    let left = Math.min(this.#sizeBytes, await freeBytes());
    while (left > 0) {
      const bytes = Math.min(left, this.#sizeBytes - this.#at);
      const range = { start: this.#at, end: this.#at + bytes - 1, highWaterMark: PIECE_BYTES };
      await pipeline(createReadStream(this.#file, range), nowhere());
      this.#at = (this.#at + bytes) % this.#sizeBytes;
      left -= bytes;
    }
  }
}

function zeros(sizeBytes: number): Readable {
  const piece = Buffer.alloc(PIECE_BYTES);
  return Readable.from(
    (function* () {
      for (let left = sizeBytes; left > 0; left -= PIECE_BYTES) yield piece;
    })(),
  );
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

async function freeBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  return 1024 * Number(/^MemFree: +(\d+) kB/m.exec(text)?.[1] ?? 0);
}
