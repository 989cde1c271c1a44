import { randomBytes } from 'node:crypto';

/** What an object is for; the first segment of its key, so that an operator and a sweep can tell them apart. */
export type ObjectKind = 'blob' | 'xorb' | 'shard' | 'staging';

/**
 * A key nobody can guess and nobody ever used: `<kind>/<2 hex>/<40 hex>`. The map from a hash to a key is a row
 * in Postgres, so two uploads of the same bytes never race for one key.
 */
export function newObjectKey(kind: ObjectKind): string {
  const name = randomBytes(20).toString('hex');
  return `${kind}/${name.slice(0, 2)}/${name}`;
}
