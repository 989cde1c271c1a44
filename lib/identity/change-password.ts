import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from './audit.ts';
import type { Ctx } from './context.ts';
import { hashPassword, passwordMatches, passwordProblem } from './passwords.ts';
import { forgetPrincipal } from './principal-cache.ts';
import { requireSession } from './require-user.ts';
import { hashSessionId } from './session.ts';
import { countAttempt, uncountAttempt } from './throttle.ts';

/**
 * Sets a new password and ends every other session of the user. Needs a session and the current password; ten wrong
 * ones in five minutes are rate_limited. Access tokens go on working.
 */
export async function changePassword(
  ctx: Ctx,
  input: { currentPassword: string; newPassword: string; sessionId: string | null },
): Promise<void> {
  const user = requireSession(ctx);
  const problem = passwordProblem(input.newPassword);
  if (problem) throw hubError('invalid_input', `newPassword ${problem}`);
  const bounds = [{ what: 'password change of', whom: user.id, limit: 10, windowSeconds: 300 }];
  await countAttempt(ctx, bounds);
  const row = await ctx.prisma.user.findUnique({ where: { id: user.id }, select: { passwordHash: true } });
  if (!(await passwordMatches(row?.passwordHash ?? null, input.currentPassword))) {
    throw hubError('forbidden', 'currentPassword is not your password');
  }
  await uncountAttempt(ctx, bounds);
  const passwordHash = await hashPassword(input.newPassword);
  const kept = input.sessionId === null ? null : hashSessionId(input.sessionId);
  await transaction(ctx.db, async (tx) => {
    await tx.query('UPDATE user_account SET password_hash = $2 WHERE id = $1', [user.id, passwordHash]);
    await tx.query(
      `UPDATE session SET revoked_at = $2
       WHERE user_id = $1 AND revoked_at IS NULL AND id_hash IS DISTINCT FROM $3`,
      [user.id, new Date(ctx.clock.now()), kept],
    );
    await audit(tx, ctx, { action: 'user.password', subject: `user:${user.name}` });
  });
  forgetPrincipal(ctx, user.id);
}
