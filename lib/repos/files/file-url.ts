import type { App } from '#lib/identity/context.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';
import type { RepoFile } from '../types.ts';

/**
 * A URL with which a client can fetch the file (or exactly `range`) from the store itself, or null: then the hub
 * must stream it, because clients cannot reach the store or the file has no whole object. The URL is a bearer
 * secret until it expires.
 */
export async function fileUrl(
  app: Pick<App, 'store'>,
  file: RepoFile,
  options: { range?: ByteRange; filename?: string; contentType?: string; expiresSeconds: number },
): Promise<string | null> {
  return file.objectKey === null ? null : app.store.signGet(file.objectKey, options);
}
