import type { App } from '#lib/identity/context.ts';
import { ObjectMissing } from '#lib/storage/object-store.ts';
import { hashObject } from './lfs/check-bytes.ts';
import type { Damage } from './mark-lost.ts';
import { hashStoredXorb } from './xet/hash-stored-xorb.ts';
import { XetInvalid } from './xet/invalid.ts';

/** An object as its row tells of it. */
export interface ObjectToExamine {
  readonly id: number;
  readonly key: string;
  readonly size_bytes: number;
  readonly sha256: Buffer | null;
  /** Of the xorb that it is, when it is one. */
  readonly xorb_hash: Buffer | null;
}

/** Columns of ObjectToExamine; the query must alias stored_object as o. */
export const EXAMINED_COLUMNS = `o.id, o.key, o.size_bytes, o.sha256,
  (SELECT x.hash FROM xorb x WHERE x.object_id = o.id LIMIT 1) AS xorb_hash`;

/** Compares size and existence with the row: one HEAD. */
export async function examineSize(
  app: Pick<App, 'store'>,
  object: ObjectToExamine,
): Promise<{ damage: Damage; sizeBytes: number | null } | null> {
  const info = await app.store.head(object.key);
  if (info === null) return { damage: 'missing', sizeBytes: null };
  return info.sizeBytes === object.size_bytes ? null : { damage: 'size', sizeBytes: info.sizeBytes };
}

/**
 * Reads an object to its end and compares: whole files by their SHA-256, xorbs by every chunk and the Merkle root,
 * others by their length. Null when all is well. Throws what the store throws when it does not answer: that says
 * nothing about the object.
 */
export async function examineBytes(
  app: Pick<App, 'db' | 'store'>,
  object: ObjectToExamine,
  signal: AbortSignal,
): Promise<Damage | null> {
  const size = await examineSize(app, object);
  if (size !== null) return size.damage;
  try {
    if (object.xorb_hash !== null)
      return (await hashStoredXorb(app, object.key, signal)).hash.equals(object.xorb_hash) ? null : 'hash';
    const { sha256, sizeBytes } = await hashObject(app.store, object.key, signal);
    if (sizeBytes !== object.size_bytes) return 'size';
    return object.sha256 === null || object.sha256.toString('hex') === sha256 ? null : 'hash';
  } catch (error) {
    if (error instanceof XetInvalid) return 'hash';
    if (error instanceof ObjectMissing) return 'missing';
    throw error;
  }
}
