import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from './context.ts';
import { refuseLookAlike } from './insert-namespace.ts';
import { insertUser } from './insert-user.ts';
import { validateNamespaceName } from './names.ts';
import { hashPassword, passwordProblem } from './passwords.ts';
import { validateEmail, validateLine } from './texts.ts';
import { addressBlock, countAttempt } from './throttle.ts';

export interface CreatedUser {
  readonly id: string;
  readonly name: string;
}

/**
 * Makes an account: for anyone when the hub lets strangers sign up (at most 30 in an hour from one address), else
 * for administrators only. Throws forbidden, rate_limited, invalid_input naming the field, or conflict_exists when
 * the name was ever taken, looks like one that was, or the address is in use.
 */
export async function createUser(
  ctx: Ctx,
  input: { name: string; fullname?: string | undefined; email?: string | undefined; password: string },
): Promise<CreatedUser> {
  const byAdmin = ctx.principal.kind === 'user' && ctx.principal.isAdmin;
  if (!byAdmin && !ctx.config.LARDER_SIGNUP) {
    throw hubError('forbidden', 'sign-up is switched off on this hub: ask its administrator for an account');
  }
  const name = validateNamespaceName(input.name);
  const fullname = validateLine('fullname', input.fullname || name);
  const email = input.email ? validateEmail(input.email) : null;
  const problem = passwordProblem(input.password);
  if (problem) throw hubError('invalid_input', `password ${problem}`);
  if (!byAdmin) {
    const whom = addressBlock(ctx.ip);
    await countAttempt(ctx, [{ what: 'sign-up from', whom, limit: 30, windowSeconds: 3_600 }]);
  }
  const passwordHash = await hashPassword(input.password);
  return transaction(ctx.db, async (tx) => {
    await refuseLookAlike(tx, name);
    return { id: await insertUser(tx, ctx, { name, fullname, email, passwordHash, isAdmin: false }), name };
  });
}
