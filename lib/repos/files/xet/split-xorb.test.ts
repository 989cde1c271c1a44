import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildXorb } from '#tests/xet/build.ts';
import { splitXorb } from './split-xorb.ts';

const xorb = buildXorb(Array.from({ length: 90 }, (_, i) => randomBytes(1 + ((i * 7919) % 131_072))));

async function pieces(body: Buffer, cuts: readonly number[]) {
  async function* parts() {
    let at = 0;
    for (const cut of [...cuts, body.length].sort((a, b) => a - b)) {
      yield body.subarray(at, cut);
      at = cut;
    }
  }
  const out = [];
  for await (const piece of splitXorb(parts())) out.push(piece);
  return out;
}

test('however the body arrives, the pieces are whole chunks and join to the body', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(xorb.body.length), { maxLength: 30 }), async (cuts) => {
      const list = await pieces(xorb.body, cuts);
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

test('a footer is zeros of the same length, wherever the body is cut', async () => {
  const footer = Buffer.concat([Buffer.from('XETBLOB'), randomBytes(300)]);
  const body = Buffer.concat([xorb.body, footer]);
  const at = xorb.body.length;
  for (const cut of [at - 1, at, at + 1, at + 6, at + 7, at + 8, body.length - 1]) {
    const list = await pieces(body, [cut]);
    expect(list.at(-1)).toMatchObject({ kind: 'footer', storedStart: at });
    expect(list.at(-1)?.bytes.equals(Buffer.alloc(footer.length))).toBe(true);
  }
});

test('a footer longer than any client writes is refused', async () => {
  const body = Buffer.concat([xorb.body, Buffer.from('XETBLOB'), Buffer.alloc(400_000)]);
  await expect(pieces(body, [])).rejects.toThrow(/footer is too long/);
});
