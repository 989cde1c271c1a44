import type { Queryable } from '#lib/base/db.ts';
import { type HubError, hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canAdmin, canChangeAnything, canRead, canWrite } from '#lib/identity/policy.ts';
import type { Principal } from '#lib/identity/principal.ts';
import { type FoundRepo, selectRepoAndRefs } from './db.ts';
import type { Repo, RepoRef } from './types.ts';

/** The one answer for a repo that does not exist and for one that the caller may not see. */
export function repoNotFound(): HubError {
  return hubError('repo_not_found', 'Repository not found');
}

/** Throws repo_not_found unless the caller may read this row. */
function assertReadable(principal: Principal, repo: Repo | undefined): asserts repo is Repo {
  if (repo === undefined || !canRead(principal, repo)) throw repoNotFound();
}

/**
 * The live repo of this name (case-insensitive; the row carries the canonical names), or the one that had the name
 * before it moved, or repo_not_found: the same for a missing repo and for a private one of others.
 */
export async function requireRead(
  ctx: Pick<Ctx, 'principal' | 'redirectsMoved'> & { readonly db: Queryable },
  ref: RepoRef,
): Promise<Repo> {
  return readableRepo(ctx, await selectRepoAndRefs(ctx.db, ref, [])).repo;
}

/**
 * What was found, if the caller may read it, else repo_not_found. A repo that was asked for by an earlier name is
 * served like by its own, or is answered with `moved` (details: where it is) when the request can be sent elsewhere;
 * either only to who may read it.
 */
export function readableRepo<T extends FoundRepo>(
  ctx: Pick<Ctx, 'principal' | 'redirectsMoved'>,
  found: T | null,
): T {
  assertReadable(ctx.principal, found?.repo);
  const { repo, isMoved } = found as T;
  if (isMoved && ctx.redirectsMoved)
    throw hubError('moved', `This repository is now ${repo.namespace}/${repo.name}`, {
      details: { type: repo.type, namespace: repo.namespace, name: repo.name },
    });
  return found as T;
}

/** Why the caller may not do what `may` says ("to merge pull requests"): not signed in, no right, or a read-only token. */
export function accessRefused(principal: Principal, may: string): HubError {
  if (principal.kind === 'anonymous')
    return hubError('unauthenticated', `Sign in or send an access token ${may}`);
  return canChangeAnything(principal)
    ? hubError('forbidden', `Forbidden: you don't have the right ${may}.`)
    : hubError('forbidden', `Forbidden: you must use a write token ${may}.`);
}

/** requireRead, then forbidden (unauthenticated when anonymous) for who may read but not change its content. */
export async function requireWrite(
  ctx: Pick<Ctx, 'db' | 'principal' | 'redirectsMoved'>,
  ref: RepoRef,
): Promise<Repo> {
  const repo = await requireRead(ctx, ref);
  if (!canWrite(ctx.principal, repo)) throw accessRefused(ctx.principal, 'to upload to a repository');
  return repo;
}

/** requireRead, then forbidden for who may not delete the repo or change its settings. */
export async function requireAdmin(
  ctx: Pick<Ctx, 'db' | 'principal' | 'redirectsMoved'>,
  ref: RepoRef,
): Promise<Repo> {
  const repo = await requireRead(ctx, ref);
  if (!canAdmin(ctx.principal, repo))
    throw accessRefused(ctx.principal, 'to change or delete this repository');
  return repo;
}

/**
 * The one visibility fragment of every listing: true for live repos that `principal` may read. `alias` is the
 * repo table's alias in the query, `$firstParameter` the number that the fragment's one value gets. It agrees
 * with canRead by test (tests/repos/access.test.ts).
 */
export function visibleRepos(
  principal: Principal,
  alias: string,
  firstParameter: number,
): { sql: string; values: unknown[] } {
  const namespaces = principal.kind === 'user' ? [principal.id, ...principal.orgs.map((org) => org.id)] : [];
  const everything = principal.kind === 'system' ? ' OR true' : '';
  return {
    sql: `(${alias}.deleted_at IS NULL AND (${alias}.visibility = 'public' OR ${alias}.namespace_id = ANY($${firstParameter}::bpchar[])${everything}))`,
    values: [namespaces],
  };
}
