import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from './context.ts';
import { insertToken, newToken } from './insert-token.ts';
import { requireSession } from './require-user.ts';
import { validateLine } from './texts.ts';

const MAX_LIVE_TOKENS = 200;

export interface CreatedToken {
  readonly id: string;
  readonly name: string;
  readonly role: 'read' | 'write';
  readonly expiresAt: Date | null;
  /** In clear: this once, here and nowhere else. */
  readonly token: string;
}

/**
 * Makes an access token for the signed-in user; only its hash is stored. Needs a session: a token cannot make
 * another, so that a leaked one dies with its revocation. Throws conflict_exists when a live token has this name.
 */
export async function createToken(
  ctx: Ctx,
  input: { name: string; role: 'read' | 'write'; expiresInDays?: number | undefined },
): Promise<CreatedToken> {
  const user = requireSession(ctx);
  const name = validateLine('name', input.name);
  const { role, expiresInDays } = input;
  const expiresAt =
    expiresInDays === undefined ? null : new Date(ctx.clock.now() + expiresInDays * 86_400_000);
  const token = newToken();
  const id = await transaction(ctx.db, async (tx) => {
    await tx.query('SELECT 1 FROM user_account WHERE id = $1 FOR UPDATE', [user.id]);
    const { rows } = await tx.query<{ live: number }>(
      'SELECT count(*) AS live FROM access_token WHERE user_id = $1 AND revoked_at IS NULL',
      [user.id],
    );
    if ((rows[0]?.live ?? 0) >= MAX_LIVE_TOKENS) {
      throw hubError('invalid_input', `you have ${MAX_LIVE_TOKENS} access tokens: revoke some first`);
    }
    return insertToken(tx, ctx, token, { userId: user.id, userName: user.name, name, role, expiresAt });
  });
  return { id, name, role, expiresAt, token };
}
