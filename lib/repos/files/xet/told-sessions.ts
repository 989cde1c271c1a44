import { createHash } from 'node:crypto';
import type { App } from '#lib/identity/context.ts';

const MAX_REMEMBERED = 10_000;

const remembered = new WeakMap<object, Map<string, Promise<number>>>();

/**
 * Calls `tell` with the number up to which this session was told something before (0 at first), and remembers the
 * number that it returns; when it throws, the one before. One call after the other per session. Remembers the 10,000
 * sessions that were told last: who is forgotten is told again.
 */
export async function tellOnce(
  app: Pick<App, 'db'>,
  session: string,
  tell: (upTo: number) => Promise<number>,
): Promise<void> {
  let sessions = remembered.get(app.db);
  if (sessions === undefined) remembered.set(app.db, (sessions = new Map()));
  const key = createHash('sha256').update(session).digest('base64'); // short, and no token stays in memory
  const before = sessions.get(key) ?? Promise.resolve(0);
  const telling = before.then(tell);
  const upTo = telling.catch(() => before);
  sessions.delete(key);
  sessions.set(key, upTo);
  if (sessions.size > MAX_REMEMBERED) sessions.delete(sessions.keys().next().value as string);
  await telling;
}
