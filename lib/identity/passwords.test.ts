import { expect, test } from 'vitest';
import { hashPassword, passwordMatches, passwordProblem } from './passwords.ts';

test('a hash is argon2id with at least the parameters that OWASP asks for, and its own salt', async () => {
  const [a, b] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
  expect(a).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(a).not.toBe(b);
  expect(await passwordMatches(a, 'correct horse')).toBe(true);
  expect(await passwordMatches(a, 'Correct horse')).toBe(false);
});

test('the same text typed on another keyboard is the same password', async () => {
  const hash = await hashPassword('caf\u00e9 \u2460');
  expect(await passwordMatches(hash, 'cafe\u0301 1')).toBe(true);
});

test('nobody has a password: no text matches a missing hash', async () => {
  for (const text of ['', 'x', 'correct horse']) expect(await passwordMatches(null, text)).toBe(false);
});

test('a thousand sign-ins at once are not a thousand hashes: what exceeds the queue is told to come back', async () => {
  const hash = await hashPassword('correct horse');
  const all = await Promise.allSettled(
    Array.from({ length: 1_000 }, () => passwordMatches(hash, 'correct horse')),
  );
  const done = all.filter((r) => r.status === 'fulfilled');
  expect(done).toHaveLength(102);
  for (const r of all) if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'overloaded' });
  expect(await passwordMatches(hash, 'correct horse')).toBe(true);
});

test('a new password has 8 to 512 characters and no other rule', () => {
  expect(passwordProblem('1234567')).toContain('at least 8');
  expect(passwordProblem('        ')).toBeNull();
  expect(passwordProblem('密码密码密码密码')).toBeNull();
  expect(passwordProblem('x'.repeat(513))).toContain('at most 512');
});
