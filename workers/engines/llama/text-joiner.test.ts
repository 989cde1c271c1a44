import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextJoiner } from './text-joiner.ts';

/** One token per byte: the worst case for joining characters. */
const decodeBytes = (tokens: readonly number[]) => Buffer.from(tokens).toString('utf8');

function run(text: string, stops: string[]): { out: string; pieces: string[]; stopped: boolean } {
  const joiner = new TextJoiner<number>(decodeBytes, stops);
  const pieces: string[] = [];
  for (const byte of Buffer.from(text)) {
    if (joiner.stopped) break;
    pieces.push(joiner.push(byte));
  }
  pieces.push(joiner.end());
  return { out: pieces.join(''), pieces, stopped: joiner.stopped };
}

describe('TextJoiner', () => {
  it('never emits half a character and loses none, however tokens split the bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        fc.pre(!text.includes('\uFFFD') && text.isWellFormed());
        const { out, pieces } = run(text, []);
        expect(out).toBe(text);
        for (const piece of pieces) expect(piece).not.toContain('\uFFFD');
      }),
    );
  });

  it('cuts exactly before the earliest stop string', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '🙂'), maxLength: 30 });
    const stop = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(text, fc.array(stop, { maxLength: 3 }), (text, stops) => {
        const at = stops.map((s) => text.indexOf(s)).filter((i) => i >= 0);
        const want = at.length ? text.slice(0, Math.min(...at)) : text;
        const got = run(text, stops);
        // Token by token, the stop string that ends first wins; it can begin after one that ends later.
        if (at.length === 0) expect(got.out).toBe(text);
        else expect(got.out.startsWith(want)).toBe(true);
        expect(got.stopped).toBe(at.length > 0);
        for (const s of stops) expect(got.out).not.toContain(s);
      }),
    );
  });

  it('shows broken bytes as replacement characters instead of waiting for ever', () => {
    const joiner = new TextJoiner<number>(decodeBytes, []);
    let out = '';
    for (let i = 0; i < 20; i++) out += joiner.push(0xff);
    out += joiner.end();
    expect(out).toBe('\uFFFD'.repeat(20));
  });
});
