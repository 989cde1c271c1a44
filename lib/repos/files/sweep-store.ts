import type { Queryable } from '#lib/base/db.ts';
import type { App } from '#lib/identity/context.ts';
import type { MultipartInfo, ObjectInfo } from '#lib/storage/object-store.ts';

const DAY_MS = 24 * 3600_000;
/** Between beginning at the store and the row lie seconds; the rest is for clocks that differ. */
const UNKNOWN_AFTER_MS = DAY_MS;
/** Longer than any upload waits for its next byte. */
const STAGING_AFTER_MS = 8 * DAY_MS;
const BATCH = 500;

/**
 * Gives up at the store what a crash kept from being recorded, or from being given up with its row: multipart uploads
 * that no open upload names, and pieces under `staging/` that are older than any upload. Returns how many. Running it
 * twice, or in two workers, does no harm. Whole objects that no row names are left to the collection of garbage.
 */
export async function sweepStore(app: Pick<App, 'db' | 'store' | 'clock'>): Promise<number> {
  const now = app.clock.now();
  let swept = 0;
  for await (const batch of inBatches(app.store.listMultipart(), now - UNKNOWN_AFTER_MS)) {
    const known = await knownUploads(app.db, batch);
    for (const { key, uploadId } of batch) {
      if (known.has(uploadId)) continue;
      await app.store.abortMultipart(key, uploadId);
      swept += 1;
    }
  }
  for await (const batch of inBatches(app.store.list('staging/'), now - STAGING_AFTER_MS)) {
    const known = await knownTails(app.db, batch);
    const keys = batch.flatMap(({ key }) => (known.has(key) ? [] : [key]));
    await app.store.delete(keys);
    swept += keys.length;
  }
  return swept;
}

async function* inBatches<T extends { readonly lastModifiedMs: number }>(
  all: AsyncIterable<T>,
  beforeMs: number,
): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const one of all) {
    if (one.lastModifiedMs >= beforeMs) continue;
    batch.push(one);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Ids at the store that an open upload of any kind goes to. */
async function knownUploads(db: Queryable, found: readonly MultipartInfo[]): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT storage_upload_id AS id FROM upload WHERE state = 'open' AND storage_upload_id = ANY($1)
     UNION SELECT storage_upload_id FROM tus_upload WHERE state = 'open' AND storage_upload_id = ANY($1)`,
    [found.map((one) => one.uploadId)],
  );
  return new Set(rows.map((row) => row.id));
}

async function knownTails(db: Queryable, found: readonly ObjectInfo[]): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT tail_key AS key FROM tus_upload WHERE state = 'open' AND tail_key = ANY($1)`,
    [found.map((one) => one.key)],
  );
  return new Set(rows.map((row) => row.key));
}
