import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from './audit.ts';
import type { Ctx } from './context.ts';
import { canManageMembers } from './policy.ts';
import type { OrgRole } from './principal.ts';
import { forgetPrincipal } from './principal-cache.ts';
import { requireWriter } from './require-user.ts';

async function findNamed(tx: Tx, kind: 'user' | 'org', name: string): Promise<{ id: string; name: string }> {
  const { rows } = await tx.query<{ id: string; name: string }>(
    'SELECT id, name FROM namespace WHERE name_key = lower($1) AND kind = $2 AND deleted_at IS NULL',
    [name, kind],
  );
  if (!rows[0]) throw hubError('not_found', `there is no such ${kind === 'org' ? 'organization' : 'user'}`);
  return rows[0];
}

async function refuseLastAdmin(tx: Tx, orgId: string): Promise<void> {
  const { rows } = await tx.query<{ admins: number }>(
    `SELECT count(*) AS admins FROM membership WHERE org_id = $1 AND role = 'admin'`,
    [orgId],
  );
  if ((rows[0]?.admins ?? 0) === 0) {
    throw hubError('invalid_input', 'an organization needs an admin: make somebody else admin first');
  }
}

/**
 * Gives a user a role in an organization, or takes membership away with null. For the organization's admins (and
 * anyone may leave); the last admin stays. Changes of one organization's members wait for each other, so that two
 * admins cannot remove each other at the same moment. Counts at once in this process, within 5 s in others.
 */
export async function setMember(
  ctx: Ctx,
  input: { org: string; user: string; role: OrgRole | null },
): Promise<{ user: string; role: OrgRole | null }> {
  const caller = requireWriter(ctx);
  const { role } = input;
  const member = await transaction(ctx.db, async (tx) => {
    const org = await findNamed(tx, 'org', input.org);
    const isLeaving = role === null && input.user.toLowerCase() === caller.name.toLowerCase();
    if (!canManageMembers(caller, org.id) && !isLeaving) {
      throw hubError('forbidden', `only admins of "${org.name}" may change its members`);
    }
    const user = await findNamed(tx, 'user', input.user);
    await tx.query('SELECT 1 FROM org WHERE id = $1 FOR UPDATE', [org.id]);
    const { rowCount } =
      role === null
        ? await tx.query('DELETE FROM membership WHERE org_id = $1 AND user_id = $2', [org.id, user.id])
        : await tx.query(
            `INSERT INTO membership (org_id, user_id, role) VALUES ($1, $2, $3)
             ON CONFLICT (org_id, user_id) DO UPDATE SET role = excluded.role`,
            [org.id, user.id, role],
          );
    if (rowCount) {
      await refuseLastAdmin(tx, org.id);
      await audit(tx, ctx, {
        action: 'org.member',
        subject: `org:${org.name}`,
        details: { user: user.name, role },
      });
    }
    return user;
  });
  forgetPrincipal(ctx, member.id);
  return { user: member.name, role };
}
