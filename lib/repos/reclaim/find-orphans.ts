import { randomBytes } from 'node:crypto';
import type { Queryable } from '#lib/base/db.ts';
import { newObjectKey, type ObjectKind } from '#lib/storage/keys.ts';
import type { ObjectInfo } from '#lib/storage/object-store.ts';
import type { Run } from './types.ts';

const KEYS_PER_QUERY = 1000;
/** Every kind of key: their objects have a row in stored_object, or of an upload on its way. */
const KINDS: readonly ObjectKind[] = ['blob', 'xorb', 'shard', 'staging'];

/** No row names the key `k.key`. */
const UNNAMED = `NOT EXISTS (SELECT 1 FROM stored_object o WHERE o.key = k.key AND o.state <> 'gone')
  AND NOT EXISTS (SELECT 1 FROM upload u WHERE u.key = k.key AND u.state = 'open')
  AND NOT EXISTS (SELECT 1 FROM tus_upload t WHERE t.key = k.key AND t.state = 'open')
  AND NOT EXISTS (SELECT 1 FROM tus_upload t WHERE t.tail_key = k.key AND t.state = 'open')`;

/** What the store's own clock says: ages in it are counted by it. */
async function storeNow({ app }: Run): Promise<number> {
  const key = newObjectKey('staging');
  const bytes = randomBytes(8);
  await app.store.put(key, bytes, { sizeBytes: bytes.length });
  const info = await app.store.head(key);
  await app.store.delete([key]);
  return info?.lastModifiedMs ?? 0;
}

export interface Orphan {
  readonly key: string;
  readonly sizeBytes: number;
  readonly mayGoAt: Date;
}

async function unnamedAmong(db: Queryable, objects: readonly ObjectInfo[]): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT key FROM unnest($1::text[]) AS k (key) WHERE ${UNNAMED}`,
    [objects.map(({ key }) => key)],
  );
  return new Set(rows.map(({ key }) => key));
}

/**
 * Objects of the store that no row names: what a crash between bytes and row left behind, in batches. The age is the
 * store's. Reads the whole list of the store, one query per 1,000 keys.
 */
export async function* findOrphans(run: Run): AsyncGenerator<Orphan[]> {
  const now = (await storeNow(run)) + run.travelMs;
  const look = async (batch: readonly ObjectInfo[], graceMs: number): Promise<Orphan[]> => {
    const unnamed = await unnamedAmong(run.app.db, batch);
    return batch.flatMap(({ key, sizeBytes, lastModifiedMs }) => {
      if (!unnamed.has(key)) return [];
      const waitMs = Math.max(0, graceMs - (now - lastModifiedMs));
      return { key, sizeBytes, mayGoAt: new Date(run.at.getTime() + waitMs) };
    });
  };
  for (const kind of KINDS) {
    // pieces of uploads that are under way are named a moment after they are stored, and by rows that do not look back
    const graceMs = kind === 'staging' ? run.fullGraceMs : run.graceMs;
    let batch: ObjectInfo[] = [];
    for await (const info of run.app.store.list(`${kind}/`)) {
      run.signal.throwIfAborted();
      batch.push(info);
      if (batch.length < KEYS_PER_QUERY) continue;
      yield await look(batch, graceMs);
      batch = [];
    }
    yield await look(batch, graceMs);
  }
}

/**
 * Gives orphans that are old enough a row of their own. The row decides: an upload that took longer than the grace and
 * would name its key now meets it and fails, so nobody is ever led to bytes that go.
 */
export async function takeOrphans(run: Run): Promise<void> {
  for await (const orphans of findOrphans(run)) {
    const old = orphans.filter(({ mayGoAt }) => mayGoAt <= run.at);
    if (old.length === 0) continue;
    await run.app.db.query(
      `INSERT INTO stored_object (key, size_bytes, state, doomed_at)
       SELECT key, size_bytes, 'orphan', $3 FROM unnest($1::text[], $2::bigint[]) AS k (key, size_bytes)
       WHERE ${UNNAMED} ORDER BY key
       ON CONFLICT (key) DO UPDATE SET state = 'orphan', size_bytes = EXCLUDED.size_bytes, doomed_at = $3
       WHERE stored_object.state = 'gone'`,
      [old.map(({ key }) => key), old.map(({ sizeBytes }) => sizeBytes), run.at],
    );
  }
}
