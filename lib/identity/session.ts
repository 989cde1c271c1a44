import { createHash, randomBytes } from 'node:crypto';
import type { App } from './context.ts';
import { keyFor } from './signing.ts';

/** A session ends this long after its last use. */
export const SESSION_MS = 30 * 24 * 3_600_000;

/** What next-auth encrypts its cookie with. */
export function sessionSecret(app: Pick<App, 'rootKey'>): string {
  return keyFor(app, 'next-auth').toString('base64url');
}

/** SHA-256 of a session id: all that the database knows of it. */
export function hashSessionId(sessionId: string): Buffer {
  return createHash('sha256').update(sessionId).digest();
}

/** Opens a session for a user who just proved who they are; returns its id, which only the cookie may carry. */
export async function createSession(
  app: Pick<App, 'db' | 'clock'>,
  userId: string,
  userAgent: string | null,
): Promise<string> {
  const sessionId = randomBytes(32).toString('base64url');
  await app.db.query(
    'INSERT INTO session (id_hash, user_id, expires_at, user_agent) VALUES ($1, $2, $3, $4)',
    [
      hashSessionId(sessionId),
      userId,
      new Date(app.clock.now() + SESSION_MS),
      userAgent?.slice(0, 200) ?? null,
    ],
  );
  return sessionId;
}
