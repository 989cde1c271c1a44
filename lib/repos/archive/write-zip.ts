import { crc32 } from 'node:zlib';
import type { ArchiveContent } from './archive-contents.ts';
import type { ArchiveFile } from './archive-files.ts';
import { centralHeader, dataDescriptor, endOfArchive, localHeader } from './zip-format.ts';

const JOIN_BYTES = 256 * 1024;
const SMALL_BYTES = 64 * 1024;

/** Joins headers and small files, so that ten thousand of them are not ten thousand writes. Its memory is used again. */
class Joiner {
  readonly #buffer = Buffer.allocUnsafeSlow(JOIN_BYTES);
  #filled = 0;
  /** Bytes given to it so far. */
  total = 0;

  /** Takes bytes; what is to be sent first comes back. */
  *add(bytes: Buffer): Generator<Buffer> {
    this.total += bytes.length;
    if (bytes.length > SMALL_BYTES || this.#filled + bytes.length > JOIN_BYTES) yield* this.flush();
    if (bytes.length > SMALL_BYTES) yield bytes;
    else this.#filled += bytes.copy(this.#buffer, this.#filled);
  }

  *flush(): Generator<Buffer> {
    if (this.#filled > 0) yield this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
  }
}

/**
 * A zip of these files, whose contents come in the same order. A piece is valid until the next one is asked for. The
 * same files give the same bytes on every server. Throws when a file has not exactly its size: the archive then ends
 * in the middle.
 */
export async function* writeZip(
  files: readonly ArchiveFile[],
  contents: AsyncIterable<ArchiveContent>,
  modifiedSeconds: number,
): AsyncGenerator<Buffer> {
  const joiner = new Joiner();
  const crcs = new Uint32Array(files.length);
  const offsets = new Float64Array(files.length);
  let index = 0;
  for await (const content of contents) {
    const { file } = content;
    offsets[index] = joiner.total;
    let [crc, size] = [0, 0];
    if ('bytes' in content) {
      crc = crc32(content.bytes);
      size = content.bytes.length;
      yield* joiner.add(localHeader(file, modifiedSeconds, crc));
      yield* joiner.add(content.bytes);
    } else {
      yield* joiner.add(localHeader(file, modifiedSeconds, 0));
      for await (const piece of content.pieces) {
        crc = crc32(piece, crc);
        size += piece.length;
        yield* joiner.add(piece);
      }
      yield* joiner.add(dataDescriptor(file, crc));
    }
    if (size !== file.sizeBytes) throw new Error(`${file.path} has ${size} bytes, not ${file.sizeBytes}`);
    crcs[index++] = crc;
  }
  const directoryStart = joiner.total;
  for (const [i, file] of files.entries())
    yield* joiner.add(centralHeader(file, modifiedSeconds, crcs[i] ?? 0, offsets[i] ?? 0));
  yield* joiner.add(endOfArchive(files.length, directoryStart, joiner.total - directoryStart));
  yield* joiner.flush();
}
