import { type Queryable, type Tx, transaction } from '#lib/base/db.ts';
import { type HubError, hubError } from '#lib/base/errors.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { sizeText } from '#lib/base/size-text.ts';
import type { App } from '#lib/identity/context.ts';
import {
  type Holder,
  type Limits,
  lockHolder,
  namespaceBytes,
  type RepoLimits,
  repoBytes,
  selectHolder,
  selectRepoLimits,
} from './quotas-db.ts';

/** How much of a limit is used. */
export interface Room {
  readonly what: 'repo' | 'user' | 'org';
  /** `acme/bert`, or `acme`. */
  readonly name: string;
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** What to say when `moreBytes` do not fit: what is used, what the limit is, what to delete and whom to ask. */
export function quotaExceeded(room: Room, moreBytes: number): HubError {
  const { what, name, usedBytes, limitBytes } = room;
  const need = moreBytes > 1 ? `; this needs ${sizeText(moreBytes)} more` : '';
  const mend = {
    repo: 'Delete large files that are not needed for good (Settings, Large files)',
    user: 'Delete repositories, or large files for good (Settings of a repository, Large files)',
    org: 'Delete repositories of the organization, or large files for good (Settings of a repository, Large files)',
  }[what];
  return hubError(
    'quota_exceeded',
    `The storage of ${name} is full: ${sizeText(usedBytes)} of ${sizeText(limitBytes)} are used${need}. ${mend}, or ask an administrator of this hub for more room.`,
    { details: { what, name, usedBytes, limitBytes } },
  );
}

async function roomsOf(db: Queryable, limits: RepoLimits): Promise<Room[]> {
  const rooms: Room[] = [];
  if (limits.limitBytes !== null)
    rooms.push({
      what: 'repo',
      name: limits.repo,
      usedBytes: await repoBytes(db, limits.repoId),
      limitBytes: limits.limitBytes,
    });
  rooms.push(...(await roomOfHolder(db, limits.holder)));
  return rooms;
}

async function roomOfHolder(
  db: Queryable,
  { kind, namespace, namespaceId, limitBytes }: Holder,
): Promise<Room[]> {
  if (limitBytes === null) return [];
  return [{ what: kind, name: namespace, usedBytes: await namespaceBytes(db, namespaceId), limitBytes }];
}

/** The limit that leaves a repo the least room, or null when there is none. At most three queries. */
export async function readRoom(app: Pick<App, 'db' | 'config'>, repoId: RepoId): Promise<Room | null> {
  const limits = await selectRepoLimits(app.db, app.config, repoId, false);
  const rooms = limits === null ? [] : await roomsOf(app.db, limits);
  const left = (room: Room) => room.limitBytes - room.usedBytes;
  return rooms.sort((a, b) => left(a) - left(b))[0] ?? null;
}

/**
 * Before an upload begins: throws quota_exceeded when `moreBytes` of large files would not fit into the repo or into
 * what its owner may hold. Ask with 1 when the size is not known: then only a full one refuses. Nothing is reserved:
 * linkWithinQuota decides.
 */
export async function requireRoom(
  app: Pick<App, 'db' | 'config'>,
  repoId: RepoId,
  moreBytes: number,
): Promise<void> {
  const room = await readRoom(app, repoId);
  if (room !== null && room.usedBytes + moreBytes > room.limitBytes) throw quotaExceeded(room, moreBytes);
}

/**
 * Inside the transaction that gives a repo large files: runs `link`, and throws quota_exceeded when the repo or its
 * owner then holds more than before and more than the limit; the caller rolls back. What adds no byte always passes.
 * With a limit, transactions for one namespace wait for each other here, so that two uploads cannot both take the last
 * room; without one, nothing is locked.
 */
export async function linkWithinQuota<T>(
  tx: Tx,
  config: Limits,
  repoId: RepoId,
  link: () => Promise<T>,
): Promise<T> {
  const free = await selectRepoLimits(tx, config, repoId, false);
  if (free === null || (free.limitBytes === null && free.holder.limitBytes === null)) return link();
  const limits = await selectRepoLimits(tx, config, repoId, true);
  if (limits === null) return link(); // deleted meanwhile: the link says so
  await lockHolder(tx, limits.holder.namespaceId);
  const before = await roomsOf(tx, limits);
  const result = await link();
  for (const [i, room] of (await roomsOf(tx, limits)).entries()) {
    const earlier = before[i] as Room;
    const moreBytes = room.usedBytes - earlier.usedBytes;
    if (moreBytes > 0 && room.usedBytes > room.limitBytes) throw quotaExceeded(earlier, moreBytes);
  }
  return result;
}

/**
 * Inside the transaction that moved a repo into a namespace, or made a copy of one there (`isNew`: then its own limit
 * counts too, and the caller runs in whileHolderIsLocked): throws quota_exceeded when the namespace now holds more than
 * its limit. An empty repo always passes.
 */
export async function requireRoomForRepo(
  tx: Tx,
  config: Limits,
  repoId: RepoId,
  { isNew }: { readonly isNew: boolean },
): Promise<void> {
  const limits = await selectRepoLimits(tx, config, repoId, false);
  if (limits === null) return;
  if (!isNew && limits.holder.limitBytes !== null) await lockHolder(tx, limits.holder.namespaceId);
  const moreBytes = await repoBytes(tx, repoId);
  for (const room of await roomsOf(tx, limits))
    if (moreBytes > 0 && room.usedBytes > room.limitBytes && (isNew || room.what !== 'repo'))
      throw quotaExceeded({ ...room, usedBytes: room.usedBytes - moreBytes }, moreBytes);
}

/**
 * Keeps others from adding bytes to a namespace while `work` runs a transaction of its own, whose snapshot must be
 * younger than the lock (REPEATABLE READ): a second connection holds it. Without a limit nothing is locked.
 */
export async function whileHolderIsLocked<T>(
  app: Pick<App, 'db' | 'config'>,
  namespaceId: string,
  work: () => Promise<T>,
): Promise<T> {
  const holder = await selectHolder(app.db, app.config, namespaceId);
  if (holder === null || holder.limitBytes === null) return work();
  return transaction(app.db, async (tx) => {
    await tx.query('SET LOCAL idle_in_transaction_session_timeout = 0'); // copying a long history takes minutes
    await lockHolder(tx, namespaceId);
    return work();
  });
}
