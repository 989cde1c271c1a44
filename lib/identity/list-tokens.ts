import type { Ctx } from './context.ts';
import { requireWriter } from './require-user.ts';

export interface TokenSummary {
  readonly id: string;
  readonly name: string;
  readonly role: 'read' | 'write';
  /** The last four characters, to tell one from another. */
  readonly hint: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly expiresAt: Date | null;
}

/** The caller's live and expired access tokens, newest first, at most 500; revoked ones are gone. Never their text. */
export async function listTokens(ctx: Ctx): Promise<TokenSummary[]> {
  const user = requireWriter(ctx);
  const tokens = await ctx.prisma.accessToken.findMany({
    where: { userId: user.id, revokedAt: null },
    orderBy: { id: 'desc' },
    take: 500,
    select: {
      id: true,
      name: true,
      role: true,
      hint: true,
      createdAt: true,
      lastUsedAt: true,
      expiresAt: true,
    },
  });
  return tokens.map((token) => ({ ...token, role: token.role === 'write' ? 'write' : 'read' }));
}
