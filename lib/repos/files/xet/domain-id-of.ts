import type { Db } from '#lib/base/db.ts';
import { domainOf } from './db.ts';

const MAX_REMEMBERED = 10_000;
const remembered = new WeakMap<Db, Map<string, number>>();

/** Id of the namespace's deduplication domain: made on first use and never another. Remembers 10,000 of them. */
export async function domainIdOf(db: Db, namespaceId: string): Promise<number> {
  let ids = remembered.get(db);
  if (ids === undefined) remembered.set(db, (ids = new Map()));
  const known = ids.get(namespaceId);
  if (known !== undefined) return known;
  const { id } = await domainOf(db, namespaceId);
  ids.set(namespaceId, id);
  if (ids.size > MAX_REMEMBERED) ids.delete(ids.keys().next().value as string);
  return id;
}
