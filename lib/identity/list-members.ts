import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from './context.ts';
import type { OrgRole } from './principal.ts';
import { requireUser } from './require-user.ts';

export interface Member {
  readonly id: string;
  readonly name: string;
  readonly fullname: string;
  /** Told to fellow members only. */
  readonly role?: OrgRole;
}

/** The members of an organization by name, at most `limit`, for signed-in callers. Throws not_found. */
export async function listMembers(ctx: Ctx, orgName: string, limit: number): Promise<Member[]> {
  const user = requireUser(ctx);
  const org = await ctx.prisma.namespace.findUnique({
    where: { nameKey: orgName.toLowerCase(), kind: 'org', deletedAt: null },
    select: { id: true },
  });
  if (!org) throw hubError('not_found', 'there is no such organization');
  const memberships = await ctx.prisma.membership.findMany({
    where: { orgId: org.id, user: { suspendedAt: null } },
    orderBy: { user: { namespace: { nameKey: 'asc' } } },
    take: limit,
    select: {
      role: true,
      user: { select: { id: true, fullname: true, namespace: { select: { name: true } } } },
    },
  });
  const isFellow = user.isAdmin || user.orgs.some((membership) => membership.id === org.id);
  return memberships.map((membership) => ({
    id: membership.user.id,
    name: membership.user.namespace.name,
    fullname: membership.user.fullname,
    ...(isFellow ? { role: membership.role as OrgRole } : {}),
  }));
}
