import type { Queryable } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything, canCreateIn } from '#lib/identity/policy.ts';
import type { RepoType } from './types.ts';

/** Where a repo is to stand. */
export interface TargetNamespace {
  readonly id: string;
  readonly name: string;
  /** What the organization sets for new repos; false for users. */
  readonly defaultPrivate: boolean;
}

async function findNamespace(db: Queryable, name: string): Promise<TargetNamespace | undefined> {
  if (name.length > 200 || name.includes('\0')) return undefined;
  const { rows } = await db.query<TargetNamespace>(
    `SELECT n.id, n.name, coalesce(o.default_private, false) AS "defaultPrivate"
     FROM namespace n LEFT JOIN org o ON o.id = n.id WHERE n.name_key = $1 AND n.deleted_at IS NULL`,
    [name.toLowerCase()],
  );
  return rows[0];
}

/**
 * The namespace of this name (any case), if the caller may create repos in it. Throws unauthenticated, or forbidden:
 * a missing one and a stranger's get the same answer.
 */
export async function requireCreate(ctx: Ctx, type: RepoType, name: string): Promise<TargetNamespace> {
  if (ctx.principal.kind === 'anonymous')
    throw hubError('unauthenticated', 'Sign in or send an access token to create a repository');
  if (!canChangeAnything(ctx.principal))
    throw hubError('forbidden', 'Forbidden: you must use a write token to create a repository.');
  const namespace = await findNamespace(ctx.db, name);
  if (namespace === undefined || !canCreateIn(ctx.principal, namespace.id))
    throw hubError(
      'forbidden',
      `You don't have the rights to create a ${type} under the namespace "${name}"`,
    );
  return namespace;
}
