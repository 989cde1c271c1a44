import { isUniqueViolation, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from './audit.ts';
import type { Ctx } from './context.ts';
import { forgetPrincipal } from './principal-cache.ts';
import { requireSession } from './require-user.ts';
import { validateEmail, validateLine } from './texts.ts';

export interface Account {
  readonly name: string;
  readonly fullname: string;
  readonly email: string | null;
}

/**
 * Changes the caller's full name and e-mail address; what is left out stays, `email: null` removes it. Needs a
 * session. Throws conflict_exists when the address belongs to another account.
 */
export async function updateAccount(
  ctx: Ctx,
  input: { fullname?: string | undefined; email?: string | null | undefined },
): Promise<Account> {
  const user = requireSession(ctx);
  const fullname = input.fullname === undefined ? user.fullname : validateLine('fullname', input.fullname);
  const email = input.email ? validateEmail(input.email) : input.email === undefined ? user.email : null;
  await transaction(ctx.db, async (tx) => {
    try {
      await tx.query(
        'UPDATE user_account SET fullname = $2, email = $3, email_key = lower($3) WHERE id = $1',
        [user.id, fullname, email],
      );
    } catch (error) {
      if (isUniqueViolation(error, 'user_account_email_key_key')) {
        throw hubError('conflict_exists', 'this e-mail address belongs to another account', { cause: error });
      }
      throw error;
    }
    await audit(tx, ctx, {
      action: 'user.update',
      subject: `user:${user.name}`,
      details: { fullname, emailChanged: email !== user.email },
    });
  });
  forgetPrincipal(ctx, user.id);
  return { name: user.name, fullname, email };
}
