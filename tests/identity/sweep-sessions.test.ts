import { afterAll, beforeAll, expect, test } from 'vitest';
import { createUser } from '#lib/identity/create-user.ts';
import { createSession, SESSION_MS } from '#lib/identity/session.ts';
import { sweepSessions } from '#lib/identity/sweep-sessions.ts';
import { countAttempt } from '#lib/identity/throttle.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';

let t: TestApp;
let nowMs = Date.now();
beforeAll(async () => {
  t = await createTestApp({ clock: { now: () => nowMs } });
});
afterAll(() => t.close());

test('sessions that ended long ago and counters of past windows go, everything else stays', async () => {
  const user = await createUser(t.ctxFor(), { name: 'sleeper', password: 'correct horse' });
  await createSession(t.app.db, t.app.clock, user.id, 'ended');
  nowMs += SESSION_MS;
  await createSession(t.app.db, t.app.clock, user.id, 'ended lately');
  nowMs += SESSION_MS + 1_000;
  await createSession(t.app.db, t.app.clock, user.id, 'live');
  await countAttempt(t.app, [{ what: 'test', whom: 'now', limit: 5, windowSeconds: 60 }]);
  expect(await sweepSessions(t.app)).toBe(1);
  expect(await sweepSessions(t.app)).toBe(0);
  const { rows } = await t.app.db.query('SELECT user_agent FROM session ORDER BY created_at');
  expect(rows.map((row) => row.user_agent)).toEqual(['ended lately', 'live']);
  expect((await t.app.db.query('SELECT 1 FROM throttle')).rowCount).toBe(1);
});
