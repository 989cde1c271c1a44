import { createHash } from 'node:crypto';
import { hubError } from '#lib/base/errors.ts';
import type { App } from '#lib/identity/context.ts';
import { type Pieces, piecesOf } from '#lib/storage/pieces.ts';
import type { RepoFile } from '../types.ts';

/** Hashing so much takes less time than opening the file took. */
const ALWAYS_BYTES = 4 * 1024 * 1024;

/**
 * Whether a whole file is hashed while it passes. What comes over a network from a store is: any box on the way may
 * damage it. A large file of the local disk is not, since hashing would halve the pace; the scrub reads it (F28).
 */
export function isWorthHashing(app: Pick<App, 'store'>, file: RepoFile): boolean {
  return app.store.kind === 's3' || file.sizeBytes <= ALWAYS_BYTES;
}

/**
 * Passes all pieces of a whole file on, the last only when the SHA-256 of all is the file's: else it throws, so that the
 * reader gets fewer bytes than were promised and no end. The object is put first in the scrub's order, whose verdict
 * counts: the bytes may have been damaged on the way.
 */
export function hashedPieces(app: Pick<App, 'db' | 'log'>, file: RepoFile, pieces: Pieces): Pieces {
  async function* checked(): AsyncGenerator<Buffer, undefined> {
    const hash = createHash('sha256');
    let received = 0;
    for await (const piece of pieces) {
      hash.update(piece);
      received += piece.length;
      if (received >= file.sizeBytes && hash.digest('hex') !== file.sha256) {
        app.log.error(
          { key: file.objectKey, sha256: file.sha256 },
          'the bytes of a file are not those that were stored',
        );
        await lookSoon(app, file);
        throw hubError('internal', 'internal error', { internal: 'wrong bytes' });
      }
      yield piece;
    }
    return undefined;
  }
  return piecesOf(checked(), async () => void (await pieces.return()));
}

async function lookSoon(app: Pick<App, 'db' | 'log'>, file: RepoFile): Promise<void> {
  await app.db
    .query('UPDATE stored_object SET scrubbed_at = NULL WHERE key = $1', [file.objectKey])
    .catch((error) => app.log.warn({ err: error }, 'could not ask for a look at a damaged object'));
}
