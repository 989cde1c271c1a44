import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from './context.ts';

/** What everyone may know of a user or an organization. */
export interface Profile {
  readonly name: string;
  readonly kind: 'user' | 'org';
  readonly fullname: string;
  readonly createdAt: Date;
}

/** The live user or organization of this name, whatever its case. Throws not_found. One query. */
export async function findProfile(ctx: Pick<Ctx, 'prisma'>, name: string): Promise<Profile> {
  const found =
    name.length > 200 || name.includes('\0')
      ? null
      : await ctx.prisma.namespace.findFirst({
          where: { nameKey: name.toLowerCase(), deletedAt: null },
          select: {
            name: true,
            createdAt: true,
            user: { select: { fullname: true } },
            org: { select: { fullname: true } },
          },
        });
  if (found === null) throw hubError('not_found', 'there is no user or organization of this name');
  return {
    name: found.name,
    kind: found.org ? 'org' : 'user',
    fullname: found.org?.fullname ?? found.user?.fullname ?? found.name,
    createdAt: found.createdAt,
  };
}
