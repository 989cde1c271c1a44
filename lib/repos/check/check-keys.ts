import type { Queryable } from '#lib/base/db.ts';
import { transaction } from '#lib/base/db.ts';
import type { App } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import type { ObjectInfo, ObjectStore } from '#lib/storage/object-store.ts';
import { mayDeleteBytes } from '../files/deletion-hold.ts';
import { Finding } from './finding.ts';

const BATCH = 1000;

/** The store's own time in ms: ages are told by its clock, not by ours, which may be wrong by hours. */
async function storeNow(store: ObjectStore): Promise<number> {
  const key = newObjectKey('staging');
  await store.put(key, Buffer.from('clock'), { sizeBytes: 5 });
  const info = await store.head(key);
  await store.delete([key]);
  return info?.lastModifiedMs ?? Date.now();
}

/** Those of `keys` that a row names: an object, or an upload that is still on its way. */
async function namedAmong(db: Queryable, keys: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT key FROM stored_object WHERE key = ANY($1::text[])
     UNION ALL SELECT key FROM upload WHERE state = 'open' AND key = ANY($1::text[])
     UNION ALL SELECT key FROM tus_upload WHERE state = 'open' AND key = ANY($1::text[])
     UNION ALL SELECT tail_key FROM tus_upload WHERE state = 'open' AND tail_key = ANY($1::text[])`,
    [keys],
  );
  return new Set(rows.map((row) => row.key));
}

/** Deletes keys unless a row names them by now, or a backup copies objects at this moment. */
async function deleteUnnamed(app: Pick<App, 'db' | 'store'>, key: string): Promise<string> {
  const isFree = await transaction(app.db, async (tx) => {
    return (await mayDeleteBytes(tx)) && !(await namedAmong(tx, [key])).has(key);
  });
  if (!isFree) return 'left alone: it is named now, or a backup runs';
  await app.store.delete([key]);
  return 'deleted';
}

/**
 * Every object of the store is named by a row, unless it is younger than `graceMs` by the store's own clock. The
 * store is listed to its end.
 */
export async function* checkKeys(app: Pick<App, 'db' | 'store'>, graceMs: number): AsyncGenerator<Finding> {
  const before = (await storeNow(app.store)) - graceMs;
  let batch: ObjectInfo[] = [];
  const flush = async function* (): AsyncGenerator<Finding> {
    const named = await namedAmong(
      app.db,
      batch.map((info) => info.key),
    );
    for (const { key, sizeBytes } of batch)
      if (!named.has(key))
        yield new Finding('key-unnamed', `key ${key}`, `${sizeBytes} bytes that no row names`, {
          key: `key:${key}`,
          what: `delete ${key}`,
          run: () => deleteUnnamed(app, key),
        });
    batch = [];
  };
  for await (const info of app.store.list('')) {
    if (info.lastModifiedMs > before) continue;
    batch.push(info);
    if (batch.length >= BATCH) yield* flush();
  }
  yield* flush();
}
