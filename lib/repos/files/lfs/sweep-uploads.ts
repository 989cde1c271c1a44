import type { App } from '#lib/identity/context.ts';
import { closeUpload, deleteOldUploads, expiredUploads } from './db.ts';

const BATCH = 200;
/** Completions that began just before the links expired may still be hashing. */
const GRACE_MS = 6 * 3600_000;
const REMEMBER_MS = 30 * 24 * 3600_000;

/**
 * Gives up multipart uploads whose links expired hours ago and returns how many: the store first, so that dying
 * between the steps only means doing it again; the row decides against a completion that is just ending. Running
 * it twice, or in two workers, does no harm.
 */
export async function sweepUploads(app: Pick<App, 'db' | 'store' | 'clock'>): Promise<number> {
  let swept = 0;
  for (;;) {
    const uploads = await expiredUploads(app.db, new Date(app.clock.now() - GRACE_MS), BATCH);
    for (const upload of uploads) {
      await app.store.abortMultipart(upload.key, upload.storageUploadId);
      if (!(await closeUpload(app.db, upload.id, 'aborted'))) continue;
      await app.store.delete([upload.key]);
      swept += 1;
    }
    if (uploads.length < BATCH) break;
  }
  await deleteOldUploads(app.db, new Date(app.clock.now() - REMEMBER_MS));
  return swept;
}
