import type { App } from '#lib/identity/context.ts';
import type { TusUpload } from './db.ts';
import { forgetHash } from './live-hashes.ts';

/** Deletes what an upload that was given up has at the store. The row must say so before: nobody links it any more. */
export async function removeRemains(app: Pick<App, 'store'>, upload: TusUpload): Promise<void> {
  const { id, key, storageUploadId, tailKey } = upload;
  forgetHash(id);
  if (key !== null && storageUploadId !== null) await app.store.abortMultipart(key, storageUploadId);
  const keys = [key, tailKey].filter((k) => k !== null);
  if (keys.length > 0) await app.store.delete(keys);
}
