import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventFilter } from './event-filter.ts';

const delta = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`;
const usage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } })}\n\n`;
const done = 'data: [DONE]\n\n';

/** Sends the text in pieces cut at these places. */
function run(text: string, cuts: readonly number[], keepUsage: boolean) {
  const bytes = Buffer.from(text);
  const filter = new EventFilter(keepUsage);
  const places = [...new Set(cuts.map((c) => c % (bytes.length + 1)))].sort((a, b) => a - b);
  const out: Buffer[] = [];
  let at = 0;
  for (const place of [...places, bytes.length]) {
    out.push(filter.push(bytes.subarray(at, place)));
    at = place;
  }
  return { text: Buffer.concat(out).toString(), filter };
}

describe('EventFilter', () => {
  it('passes every event unchanged but the usage nobody asked for, wherever the network cuts', () => {
    const words = fc.array(fc.oneof(fc.string(), fc.constant('say "usage" and data: [DONE]\n\n')), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(words, fc.array(fc.nat(10_000), { maxLength: 12 }), fc.boolean(), (texts, cuts, keep) => {
        const deltas = texts.map(delta).join('');
        const seen = run(deltas + usage + done, cuts, keep);
        expect(seen.text).toBe(deltas + (keep ? usage : '') + done);
        expect(seen.filter.usage).toEqual({ prompt_tokens: 7, completion_tokens: 3 });
        expect(seen.filter.isDone).toBe(true);
      }),
    );
  });

  it('an answer that breaks off is not done', () => {
    expect(run(delta('a') + delta('say data: [DONE]'), [3], false).filter.isDone).toBe(false);
  });

  it('refuses an event without an end instead of holding it', () => {
    const filter = new EventFilter(false);
    expect(() => {
      for (let i = 0; i < 10; i++) filter.push(Buffer.alloc(1_000_000, 120));
    }).toThrow('without an end');
  });
});
