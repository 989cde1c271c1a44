import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '#lib/base/clock.ts';
import type { Queryable } from '#lib/base/db.ts';
import type { App } from './context.ts';
import { keyFor } from './signing.ts';

/** A session ends this long after signing in, whatever happens. */
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
  tx: Queryable,
  clock: Clock,
  userId: string,
  userAgent: string | null,
): Promise<string> {
  const sessionId = randomBytes(32).toString('base64url');
  const nowMs = clock.now();
  await tx.query(
    'INSERT INTO session (id_hash, user_id, created_at, expires_at, user_agent) VALUES ($1, $2, $3, $4, $5)',
    [
      hashSessionId(sessionId),
      userId,
      new Date(nowMs),
      new Date(nowMs + SESSION_MS),
      userAgent?.slice(0, 200) ?? null,
    ],
  );
  return sessionId;
}
