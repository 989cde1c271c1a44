import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressBlock, type Bound, countAttempt, uncountAttempt } from '#lib/identity/throttle.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';

let t: TestApp;
let nowMs = Date.now();
beforeAll(async () => {
  t = await createTestApp({ clock: { now: () => nowMs } });
});
afterAll(() => t.close());

const bound = (whom: string, limit = 5): Bound => ({ what: 'test', whom, limit, windowSeconds: 60 });

test('attempts made at the same time are all counted: exactly the limit gets through', async () => {
  const attempts = Array.from({ length: 40 }, () =>
    countAttempt(t.app, [bound('crowd'), bound('wide', 100)]),
  );
  const results = await Promise.allSettled(attempts);
  expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(5);
});

test('a refusal says how long to wait, and waiting that long is enough', async () => {
  for (let i = 0; i < 5; i += 1) await countAttempt(t.app, [bound('patient')]);
  nowMs += 20_000;
  const error = await countAttempt(t.app, [bound('patient')]).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'rate_limited', details: { retryAfterSeconds: 40 } });
  nowMs += 40_000;
  await countAttempt(t.app, [bound('patient')]);
});

test('honest attempts are taken back', async () => {
  for (let i = 0; i < 20; i += 1) {
    await countAttempt(t.app, [bound('honest')]);
    await uncountAttempt(t.app, [bound('honest')]);
  }
});

test('the table does not grow with past windows while attempts are refused', async () => {
  for (let i = 0; i < 40; i += 1) await countAttempt(t.app, [bound(`passer-by ${i}`)]);
  nowMs += 61_000;
  for (let i = 0; i < 10; i += 1) await countAttempt(t.app, [bound('busy')]).catch(() => {});
  const { rows } = await t.app.db.query('SELECT count(*) AS n FROM throttle');
  expect(rows[0].n).toBe(1);
});

test.each([
  [null, 'unknown'],
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%j is counted as %j', (ip, block) => {
  expect(addressBlock(ip)).toBe(block);
});
