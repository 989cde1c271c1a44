import { expect, test } from 'vitest';
import { backOffMs } from './back-off.ts';
import { sendErrorOf } from './send-error.ts';

test('a hub that is away or busy is waited for, an upload it forgot begins anew, a refusal is shown in its words', () => {
  expect([0, 409, 423, 429, 500, 503].map((status) => sendErrorOf(status, '').kind)).toEqual(
    Array.from({ length: 6 }, () => 'later'),
  );
  expect([404, 410].map((status) => sendErrorOf(status, '').kind)).toEqual(['anew', 'anew']);
  const refused = sendErrorOf(403, '{"error":"You may not write here"}');
  expect([refused.kind, refused.message, refused.status]).toEqual(['never', 'You may not write here', 403]);
  expect(sendErrorOf(422, '{"message":"wrong bytes"}').message).toBe('wrong bytes');
});

test('a page of a proxy is no reason to show; an answer without words is named by its number', () => {
  expect(sendErrorOf(502, '<html>Bad gateway</html>').message).toBe('');
  expect(sendErrorOf(400, '').message).toBe('HTTP 400');
});

test('waits grow to half a minute and no further', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map((tries) => backOffMs(tries, 1))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ]);
  expect(backOffMs(1, 0)).toBe(750);
});
