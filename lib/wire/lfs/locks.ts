import { z } from 'zod';
import type { Ctx } from '#lib/identity/context.ts';
import { listLocks } from '#lib/repos/files/lfs/list-locks.ts';
import { lockPath } from '#lib/repos/files/lfs/lock-path.ts';
import type { LfsLock } from '#lib/repos/files/lfs/locks-db.ts';
import { unlockPath } from '#lib/repos/files/lfs/unlock-path.ts';
import type { WireRequest } from '../request.ts';
import type { WireResponse } from '../respond.ts';
import { type Route, type RouteMeta, route } from '../route.ts';
import { repoPatterns, repoRefOf, sendLfs } from './lfs-urls.ts';

/** git-lfs names the branch with every call; a lock holds for the path on all branches. */
const refSchema = z.object({ name: z.string() }).nullish();
const lockSchema = z.object({ path: z.string().min(1), ref: refSchema });
const unlockSchema = z.object({ force: z.boolean().nullish(), ref: refSchema });
const verifySchema = z.object({
  cursor: z.string().nullish(),
  limit: z.number().int().nullish(),
  ref: refSchema,
});

const shown = (lock: LfsLock) => ({
  id: lock.id,
  path: lock.path,
  locked_at: lock.lockedAt.toISOString(),
  owner: { name: lock.ownerName },
});
/** git-lfs ends on an absent or empty cursor. */
const nextOf = (next: string | undefined) => (next === undefined ? {} : { next_cursor: next });

async function lock(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { path } = await req.json(lockSchema);
  const { lock: held, isNew } = await lockPath(ctx, repoRefOf(req), path);
  if (isNew) return sendLfs(res, { lock: shown(held) }, 201);
  const message = `${JSON.stringify(path)} is already locked by ${held.ownerName}`;
  sendLfs(res, { lock: shown(held), message }, 409);
}

async function list(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const asked = (name: string) => req.query.get(name) || undefined;
  const query = {
    path: asked('path'),
    id: asked('id'),
    cursor: asked('cursor'),
    limit: Number(asked('limit')),
  };
  const { locks, next } = await listLocks(ctx, repoRefOf(req), query, false);
  sendLfs(res, { locks: locks.map(shown), ...nextOf(next) });
}

async function verify(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { cursor, limit } = await req.json(verifySchema);
  const query = { cursor: cursor || undefined, limit: limit ?? undefined };
  const { locks, next } = await listLocks(ctx, repoRefOf(req), query, true);
  const isOurs = (held: LfsLock) => ctx.principal.kind === 'user' && held.ownerId === ctx.principal.id;
  sendLfs(res, {
    ours: locks.filter(isOurs).map(shown),
    theirs: locks.filter((held) => !isOurs(held)).map(shown),
    ...nextOf(next),
  });
}

async function unlock(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { force } = await req.json(unlockSchema);
  const held = await unlockPath(ctx, repoRefOf(req), { id: req.param('id'), force: force === true });
  sendLfs(res, { lock: shown(held) });
}

const meta = (operation: string, access: 'repo.read' | 'repo.write'): RouteMeta => ({
  operation,
  access,
  protocol: 'lfs',
});

/** The locking API of git-lfs (docs/api/locking.md of git-lfs). */
export const lockRoutes: Route[] = [
  route('POST', repoPatterns('locks/verify'), meta('lfs.locks.verify', 'repo.write'), verify),
  route('POST', repoPatterns('locks/:id/unlock'), meta('lfs.unlock', 'repo.write'), unlock),
  route('POST', repoPatterns('locks'), meta('lfs.lock', 'repo.write'), lock),
  route('GET', repoPatterns('locks'), meta('lfs.locks', 'repo.read'), list),
];
