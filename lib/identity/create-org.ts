import { transaction } from '#lib/base/db.ts';
import { audit } from './audit.ts';
import type { Ctx } from './context.ts';
import { insertNamespace, refuseLookAlike } from './insert-namespace.ts';
import { validateNamespaceName } from './names.ts';
import { forgetPrincipal } from './principal-cache.ts';
import { requireWriter } from './require-user.ts';
import { validateLine } from './texts.ts';
import { countAttempt } from './throttle.ts';

export interface CreatedOrg {
  readonly id: string;
  readonly name: string;
  readonly fullname: string;
  readonly defaultPrivate: boolean;
}

/**
 * Makes an organization with the caller as its admin (at most 20 in an hour). Throws invalid_input, or
 * conflict_exists when the name was ever taken or looks like one that was.
 */
export async function createOrg(
  ctx: Ctx,
  input: { name: string; fullname?: string | undefined; defaultPrivate?: boolean | undefined },
): Promise<CreatedOrg> {
  const user = requireWriter(ctx);
  const name = validateNamespaceName(input.name);
  const fullname = validateLine('fullname', input.fullname || name);
  const defaultPrivate = input.defaultPrivate ?? false;
  await countAttempt(ctx, [{ what: 'organization by', whom: user.id, limit: 20, windowSeconds: 3_600 }]);
  const id = await transaction(ctx.db, async (tx) => {
    await refuseLookAlike(tx, name);
    const orgId = await insertNamespace(tx, 'org', name);
    await tx.query('INSERT INTO org (id, fullname, default_private) VALUES ($1, $2, $3)', [
      orgId,
      fullname,
      defaultPrivate,
    ]);
    await tx.query(`INSERT INTO membership (org_id, user_id, role) VALUES ($1, $2, 'admin')`, [
      orgId,
      user.id,
    ]);
    await audit(tx, ctx, { action: 'org.create', subject: `org:${name}` });
    return orgId;
  });
  forgetPrincipal(ctx, user.id);
  return { id, name, fullname, defaultPrivate };
}
