import type { Queryable } from '#lib/base/db.ts';
import { newId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { REPO_COLUMNS, type RepoRow, repoOf } from './db.ts';
import type { TargetNamespace } from './require-create.ts';
import { takeName } from './take-name.ts';
import type { Repo, RepoType, Visibility } from './types.ts';

/** The row of a new repo, inside the caller's transaction; unique violation repo_live_name when the address is taken. */
export async function insertRepo(
  tx: Queryable,
  ctx: Ctx,
  request: { readonly type: RepoType; readonly name: string; readonly visibility?: Visibility | undefined },
  namespace: TargetNamespace,
): Promise<Repo> {
  const fallback: Visibility = namespace.defaultPrivate ? 'private' : 'public';
  const createdBy = ctx.principal.kind === 'user' ? ctx.principal.id : namespace.id;
  const { rows } = await tx.query<RepoRow>(
    `WITH r AS (
       INSERT INTO repo (public_id, type, namespace_id, name, name_key, visibility, created_by)
       VALUES ($1, $2, $3, $4, lower($4), $5, $6) RETURNING *)
     SELECT ${REPO_COLUMNS} FROM r JOIN namespace n ON n.id = r.namespace_id`,
    [
      newId(ctx.clock.now()),
      request.type,
      namespace.id,
      request.name,
      request.visibility ?? fallback,
      createdBy,
    ],
  );
  await takeName(tx, request.type, namespace.id, request.name);
  return repoOf(rows[0] as RepoRow);
}
