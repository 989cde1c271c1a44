import { createHash, randomBytes } from 'node:crypto';
import type { Config } from '#lib/base/config.ts';
import type { Queryable } from '#lib/base/db.ts';

/**
 * The 32 bytes under all signing keys: from LARDER_SECRET, else from the database, where the first process to ask
 * makes them. Any number of processes may start at once on an empty database; all get the same key.
 */
export async function rootKey(db: Queryable, config: Config): Promise<Buffer> {
  if (config.LARDER_SECRET) return createHash('sha256').update(config.LARDER_SECRET).digest();
  await db.query(`INSERT INTO secret (name, value) VALUES ('root', $1) ON CONFLICT (name) DO NOTHING`, [
    randomBytes(32),
  ]);
  const { rows } = await db.query<{ value: Buffer }>(`SELECT value FROM secret WHERE name = 'root'`);
  const value = rows[0]?.value;
  if (value?.length !== 32)
    throw new Error('the root key in table "secret" is damaged: restore the database');
  return value;
}
