import { transaction } from '#lib/base/db.ts';
import { type Actor, audit } from './audit.ts';
import type { App } from './context.ts';
import { forgetPrincipal } from './principal-cache.ts';
import { hashSessionId } from './session.ts';

/** Ends the session with this id for good: a copy of its cookie is worth nothing afterwards. Repeating it is harmless. */
export async function signOut(app: App & Actor, sessionId: string): Promise<void> {
  const userId = await transaction(app.db, async (tx) => {
    const { rows } = await tx.query<{ user_id: string; name: string }>(
      `UPDATE session s SET revoked_at = $2 FROM namespace n
       WHERE s.id_hash = $1 AND s.revoked_at IS NULL AND n.id = s.user_id RETURNING s.user_id, n.name`,
      [hashSessionId(sessionId), new Date(app.clock.now())],
    );
    const row = rows[0];
    if (!row) return null;
    await audit(tx, app, { action: 'session.revoke', subject: `user:${row.name}` });
    return row.user_id;
  });
  if (userId) forgetPrincipal(app, userId);
}
