import type { App } from '#lib/identity/context.ts';
import { discardObjects } from '../discard-objects.ts';
import { forgetHash } from '../live-hashes.ts';
import type { TusUpload } from './db.ts';

/**
 * Deletes what an upload that was given up has at the store. The row must say so before: nobody links it any more. Never
 * throws: what the store does not do now is left to its sweep and to garbage collection.
 */
export async function removeRemains(app: Pick<App, 'store' | 'log'>, upload: TusUpload): Promise<void> {
  const { id, key, storageUploadId, tailKey } = upload;
  forgetHash(id);
  if (key !== null && storageUploadId !== null)
    await app.store.abortMultipart(key, storageUploadId).catch((error) => {
      app.log.warn({ err: error, upload: id }, 'parts could not be given up: left to the sweep');
    });
  const keys = [key, tailKey].filter((k) => k !== null);
  if (keys.length > 0) await discardObjects(app, keys);
}
