import type { App } from '#lib/identity/context.ts';
import { closeTusUpload, deleteOldTusUploads, expiredTusUploads } from './db.ts';
import { removeRemains } from './remove-remains.ts';

const BATCH = 200;
const REMEMBER_MS = 30 * 24 * 3600_000;

/**
 * Gives up uploads to which nothing came for seven days, and returns how many: the row first, so that nobody goes on
 * with one whose bytes go; what a crash in between leaves at the store is found by sweepStore. Running it twice, or in
 * two workers, does no harm.
 */
export async function sweepTusUploads(app: Pick<App, 'db' | 'store' | 'clock' | 'log'>): Promise<number> {
  let swept = 0;
  for (;;) {
    const uploads = await expiredTusUploads(app.db, new Date(app.clock.now()), BATCH);
    for (const upload of uploads) {
      if (!(await closeTusUpload(app.db, upload.id, { state: 'aborted' }))) continue;
      await removeRemains(app, upload);
      swept += 1;
    }
    if (uploads.length < BATCH) break;
  }
  await deleteOldTusUploads(app.db, new Date(app.clock.now() - REMEMBER_MS));
  return swept;
}
