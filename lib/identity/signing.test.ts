import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyFor, sign, verify } from './signing.ts';

let nowMs = 1_700_000_000_000;
const app = { rootKey: randomBytes(32), clock: { now: () => nowMs } };

test('what was signed comes back, for the same purpose and until it expires', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (payload) => {
      const token = sign(app, 'test', payload, 60);
      expect(token).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
      expect(verify(app, 'test', token)).toEqual(JSON.parse(JSON.stringify(payload)));
      expect(verify(app, 'other', token)).toBeNull();
      expect(verify({ ...app, rootKey: randomBytes(32) }, 'test', token)).toBeNull();
    }),
  );
  const token = sign(app, 'test', { oid: 'a' }, 60);
  nowMs += 59_000;
  expect(verify(app, 'test', token)).toEqual({ oid: 'a' });
  nowMs += 2_000;
  expect(verify(app, 'test', token)).toBeNull();
});

test('no change of one character of a token is accepted', () => {
  const token = sign(app, 'test', { repo: 1, oid: 'abc', op: 'download' }, 60);
  for (let i = 0; i < token.length; i += 1) {
    for (const c of ['A', 'b', '.', '-', '=']) {
      if (c === token[i]) continue;
      const changed = token.slice(0, i) + c + token.slice(i + 1);
      // The last character of a base64url MAC has two spare bits: the same bytes are the same MAC.
      if (
        i === token.length - 1 &&
        Buffer.from(changed.slice(-43), 'base64url').equals(Buffer.from(token.slice(-43), 'base64url'))
      )
        continue;
      expect(verify(app, 'test', changed)).toBeNull();
    }
  }
});

test('junk is refused without an error', () => {
  for (const junk of [
    '',
    '.',
    'a.b',
    `e30.${'A'.repeat(43)}`,
    'x'.repeat(1_000_000),
    '\0.\0',
    `${'é'.repeat(10)}.${'A'.repeat(43)}`,
  ]) {
    expect(verify(app, 'test', junk)).toBeNull();
  }
  fc.assert(fc.property(fc.string(), (text) => verify(app, 'test', text) === null));
});

test('a payload too large for a URL is refused when it is signed', () => {
  expect(() => sign(app, 'test', 'x'.repeat(10_000), 60)).toThrow(RangeError);
});

test('each purpose has a key of its own', () => {
  expect(keyFor(app, 'a')).toHaveLength(32);
  expect(keyFor(app, 'a')).toEqual(keyFor(app, 'a'));
  expect(keyFor(app, 'a')).not.toEqual(keyFor(app, 'b'));
});
