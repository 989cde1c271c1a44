import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildXorb } from '#tests/xet/build.ts';
import { XorbSplitter } from './split-xorb.ts';

const xorb = buildXorb(Array.from({ length: 90 }, (_, i) => randomBytes(1 + ((i * 7919) % 131_072))));

function pieces(body: Buffer, cuts: readonly number[]) {
  const splitter = new XorbSplitter();
  const out = [];
  let at = 0;
  for (const cut of [...cuts, body.length].sort((a, b) => a - b)) {
    out.push(...splitter.push(body.subarray(at, cut)));
    at = cut;
  }
  out.push(...splitter.finish());
  return { list: out, footerBytes: splitter.footerBytes };
}

test('however the body arrives, the pieces are whole chunks and join to the body', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(xorb.body.length), { maxLength: 30 }), (cuts) => {
      const { list } = pieces(xorb.body, cuts);
      expect(Buffer.concat(list.map((p) => p.bytes)).equals(xorb.body)).toBe(true);
      let stored = 0;
      for (const piece of list) {
        expect(piece.storedStart).toBe(stored);
        expect(piece.bytes[0]).toBe(0);
        stored += piece.bytes.length;
      }
      expect(list.length).toBeGreaterThan(1);
    }),
    { numRuns: 50 },
  );
});

test('a footer is told from chunks, wherever the body is cut', () => {
  const footer = Buffer.concat([Buffer.from('XETBLOB'), randomBytes(300)]);
  const body = Buffer.concat([xorb.body, footer]);
  const at = xorb.body.length;
  for (const cut of [at - 1, at, at + 1, at + 6, at + 7, at + 8, body.length - 1]) {
    const { list, footerBytes } = pieces(body, [cut]);
    expect(footerBytes).toBe(footer.length);
    expect(Buffer.concat(list.map((p) => p.bytes)).equals(xorb.body)).toBe(true);
  }
});

test('a footer longer than any client writes is refused', () => {
  const body = Buffer.concat([xorb.body, Buffer.from('XETBLOB'), Buffer.alloc(400_000)]);
  expect(() => pieces(body, [])).toThrow(/footer is too long/);
});
