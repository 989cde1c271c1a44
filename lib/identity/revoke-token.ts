import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from './audit.ts';
import type { Ctx } from './context.ts';
import { forgetPrincipal } from './principal-cache.ts';
import { requireWriter } from './require-user.ts';

/**
 * Revokes one of the caller's tokens for ever: at once in this process, within 5 s in others. Throws not_found for
 * anybody else's and for one that is revoked already.
 */
export async function revokeToken(ctx: Ctx, tokenId: string): Promise<void> {
  const user = requireWriter(ctx);
  await transaction(ctx.db, async (tx) => {
    const { rows } = await tx.query<{ name: string }>(
      `UPDATE access_token SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING name`,
      [tokenId, user.id, new Date(ctx.clock.now())],
    );
    if (!rows[0]) throw hubError('not_found', 'you have no such access token');
    await audit(tx, ctx, {
      action: 'token.revoke',
      subject: `user:${user.name}`,
      details: { tokenId, name: rows[0].name },
    });
  });
  forgetPrincipal(ctx, user.id);
}
