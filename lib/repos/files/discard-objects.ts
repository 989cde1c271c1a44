import type { App } from '#lib/identity/context.ts';

/**
 * Deletes objects that no row refers to. Never throws: what the store does not delete now is garbage that the collector
 * finds, and neither hides the reason of a refusal nor turns what was done into an error.
 */
export async function discardObjects(
  app: Pick<App, 'store' | 'log'>,
  keys: readonly string[],
): Promise<void> {
  await app.store.delete(keys).catch((error) => {
    app.log.warn({ err: error, keys }, 'objects could not be deleted: left to garbage collection');
  });
}
