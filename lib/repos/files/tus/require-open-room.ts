import { hubError } from '#lib/base/errors.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { sizeText } from '#lib/base/size-text.ts';
import type { App } from '#lib/identity/context.ts';
import { quotaExceeded, readRoom } from '../../storage/require-room.ts';
import { openUploadBytes } from './db.ts';

/**
 * Before an upload begins: throws quota_exceeded when the file does not fit into what its repo or owner may hold, or when
 * the user's unfinished uploads, in whatever repos and with this one, would come to more than what is left there plus
 * LARDER_UNNAMED_BYTES: each of them alone would fit, and together they would fill a disk with bytes that count nowhere.
 * Without a quota nothing is bounded. Uploads begun at the same moment do not see each other.
 */
export async function requireOpenRoom(
  app: Pick<App, 'db' | 'config'>,
  repoId: RepoId,
  userId: string,
  sizeBytes: number,
): Promise<void> {
  const room = await readRoom(app, repoId);
  if (room === null) return;
  const leftBytes = room.limitBytes - room.usedBytes;
  if (sizeBytes > leftBytes) throw quotaExceeded(room, sizeBytes);
  const openBytes = await openUploadBytes(app.db, userId);
  const limitBytes = leftBytes + app.config.LARDER_UNNAMED_BYTES;
  if (openBytes + sizeBytes <= limitBytes) return;
  throw hubError(
    'quota_exceeded',
    `Your unfinished uploads are of ${sizeText(openBytes)}; with this file they would be more than the ${sizeText(limitBytes)} that are allowed here. Finish or cancel some first`,
    { details: { openBytes, limitBytes } },
  );
}
