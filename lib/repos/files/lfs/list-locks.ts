import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead, requireWrite } from '../../access.ts';
import type { RepoRef } from '../../types.ts';
import { type LfsLock, selectLocks } from './locks-db.ts';

export interface LockQuery {
  readonly path?: string | undefined;
  readonly id?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface LockPage {
  readonly locks: readonly LfsLock[];
  /** Where the next page begins; absent on the last. */
  readonly next?: string | undefined;
}

const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

/**
 * A page of a repo's locks, for whoever may read it, or (`toPush`) for who is about to push and must be allowed to.
 * Throws repo_not_found, forbidden, invalid_input (cursor).
 */
export async function listLocks(
  ctx: Ctx,
  ref: RepoRef,
  query: LockQuery,
  toPush: boolean,
): Promise<LockPage> {
  const repo = toPush ? await requireWrite(ctx, ref) : await requireRead(ctx, ref);
  if (query.cursor !== undefined && !/^[0-9a-f]{24}$/.test(query.cursor))
    throw hubError('invalid_input', '"cursor" is not one of ours');
  if (query.id !== undefined && !/^[0-9a-f]{24}$/.test(query.id)) return { locks: [] };
  if (query.path?.includes('\0')) return { locks: [] };
  const limit = Math.min(Math.max(Math.trunc(query.limit || DEFAULT_PAGE), 1), MAX_PAGE);
  const found = await selectLocks(ctx.db, repo.id, { ...query, after: query.cursor, limit: limit + 1 });
  const locks = found.slice(0, limit);
  return { locks, next: found.length > limit ? locks.at(-1)?.id : undefined };
}
