import type { Readable } from 'node:stream';
import { hubError, isHubError } from '#lib/base/errors.ts';
import type { App } from '#lib/identity/context.ts';
import { type ByteRange, ObjectMissing } from '#lib/storage/object-store.ts';
import { type Pieces, readableOf } from '#lib/storage/pieces.ts';
import type { RepoFile } from '../types.ts';
import { hashedPieces, isWorthHashing } from './hashed-pieces.ts';
import { openXetPieces } from './xet/open-xet-file.ts';

/** `isCounted`: the caller bounds how many of these go on at a time. */
export interface OpenOptions {
  readonly range?: ByteRange | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly isCounted?: boolean;
}

/** As openPieces, as a stream of copies, for readers that keep what they get. */
export async function openFile(
  app: App,
  file: RepoFile,
  range?: ByteRange,
  signal?: AbortSignal,
): Promise<Readable> {
  return readableOf(await openPieces(app, file, { range, signal }), signal);
}

/**
 * The bytes of a large file or a range of it, whichever way it is stored: exactly what was asked for, or an error. A
 * whole object that was lost or cut short in the store is replaced by the Xet form when there is one; otherwise
 * `internal`, with the key in the log.
 */
export async function openPieces(
  app: App,
  file: RepoFile,
  { range, signal, isCounted = false }: OpenOptions = {},
): Promise<Pieces> {
  if (range && (range.start < 0 || range.end < range.start || range.end >= file.sizeBytes))
    throw hubError('range_not_satisfiable', `bytes ${range.start}-${range.end} are not in the file`);
  const options = signal === undefined ? {} : { signal };
  if (file.objectKey !== null) {
    // Asking for the range [0, size) even for the whole file makes the store refuse an object that lost its tail.
    const whole = file.sizeBytes === 0 ? undefined : { start: 0, end: file.sizeBytes - 1 };
    const wanted = range ?? whole;
    try {
      const pieces = await app.store.pieces(file.objectKey, wanted ? { ...options, range: wanted } : options);
      return range === undefined && isWorthHashing(app, file) ? hashedPieces(app, file, pieces) : pieces;
    } catch (error) {
      if (!isDamage(error)) throw error;
      app.log.error({ err: error, key: file.objectKey, sha256: file.sha256 }, 'stored object is damaged');
      if (file.xet === null) throw hubError('internal', 'internal error', { cause: error });
    }
  }
  if (file.xet === null) throw hubError('internal', 'internal error', { internal: 'file without a source' });
  return openXetPieces(app, file.xet.fileId, { range, signal, isCounted });
}

function isDamage(error: unknown): boolean {
  return error instanceof ObjectMissing || (isHubError(error) && error.code === 'range_not_satisfiable');
}
