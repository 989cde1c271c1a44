import type { Queryable, Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { sizeText } from '#lib/base/size-text.ts';
import type { App } from '#lib/identity/context.ts';
import { quotaExceeded, readRoom } from '../../storage/require-room.ts';
import type { Term } from './terms.ts';
import type { XetGrant } from './token.ts';

/** For what repo somebody uploads, who it is, and whether as a guest. */
export type Uploader = Pick<XetGrant, 'repoId' | 'who' | 'isGuest'>;

/** What the smallest xorb counts: a row and an object cost something, and the sum must not become long. */
const LEAST_BYTES = 2 ** 20;
/** A xorb is named when files use so large a part of it: one chunk does not pay for 64 MiB. */
const NAMED_FROM = 1 / 8;

/** Stored bytes of all xorbs of a user that no file names yet. Plan: the user's range of xorb_unnamed, index only. */
async function unnamedBytes(db: Queryable, userId: string): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    'SELECT coalesce(sum(greatest(disk_bytes, $2)), 0)::bigint AS total FROM xorb WHERE unnamed_by = $1',
    [userId, LEAST_BYTES],
  );
  return rows[0]?.total ?? 0;
}

/** How much more the files may hold for which a user uploads: of a guest what guests may bring, else the quota's rest. */
async function bytesLeft(app: Pick<App, 'db' | 'config'>, grant: Uploader): Promise<number> {
  const room = await readRoom(app, grant.repoId);
  if (room !== null && room.usedBytes + 1 > room.limitBytes) throw quotaExceeded(room, 1);
  const left = room === null ? Number.POSITIVE_INFINITY : room.limitBytes - room.usedBytes;
  return grant.isGuest ? Math.min(left, app.config.LARDER_GUEST_UPLOAD_BYTES) : left;
}

/**
 * Before files are uploaded (ask with 1), and before a xorb is stored: throws quota_exceeded when the storage is full,
 * and when what the user uploaded and no file names yet, in whatever repo, would be more than the files may still hold
 * plus LARDER_UNNAMED_BYTES. So nobody fills a disk past a quota with bytes that count against none. Without a quota
 * nothing is bounded but guests. Uploads at the same moment do not see each other: as many xorbs too many as are on
 * their way.
 */
export async function requireUnnamedRoom(
  app: Pick<App, 'db' | 'config'>,
  grant: Uploader,
  moreBytes: number,
): Promise<void> {
  const left = await bytesLeft(app, grant);
  if (left === Number.POSITIVE_INFINITY || grant.who === null) return;
  const unnamed = await unnamedBytes(app.db, grant.who.userId);
  const limitBytes = left + app.config.LARDER_UNNAMED_BYTES;
  if (unnamed + Math.max(moreBytes, LEAST_BYTES) <= limitBytes) return;
  throw hubError(
    'quota_exceeded',
    `You have uploaded ${sizeText(unnamed)} of data that belongs to no file, by uploads that were interrupted, and ${sizeText(limitBytes)} are allowed here. It is deleted 22 days after it was sent; an administrator of this hub can free it earlier or give more room.`,
    { details: { unnamedBytes: unnamed, limitBytes } },
  );
}

/** Inside the transaction that registers files with these terms, which has locked their xorbs: what they use enough of is named. */
export async function nameXorbs(tx: Tx, terms: readonly Term[]): Promise<void> {
  const used = new Map<number, number>();
  for (const { xorbId, rawBytes } of terms) used.set(xorbId, (used.get(xorbId) ?? 0) + rawBytes);
  await tx.query(
    `UPDATE xorb SET unnamed_by = NULL FROM unnest($1::bigint[], $2::bigint[]) AS named (id, bytes)
     WHERE xorb.id = named.id AND unnamed_by IS NOT NULL AND named.bytes >= raw_bytes * ${NAMED_FROM}`,
    [[...used.keys()], [...used.values()]],
  );
}
