import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planReconstruction, selectTerms, type XorbLayout } from './plan-reconstruction.ts';
import type { Term } from './terms.ts';

interface Model {
  layouts: Map<number, XorbLayout>;
  /** Raw bytes per xorb and chunk. */
  chunks: Map<number, number[][]>;
  terms: Term[];
  file: number[];
}

/** Builds xorbs of tiny chunks whose bytes are all different, and a file out of ranges of them. */
function model(xorbs: number[][], picks: { xorb: number; start: number; length: number }[]): Model {
  let next = 0;
  const layouts = new Map<number, XorbLayout>();
  const chunks = new Map<number, number[][]>();
  xorbs.forEach((sizes, id) => {
    const list = sizes.map((size) => Array.from({ length: size }, () => next++));
    let stored = 0;
    let raw = 0;
    const storedEnds = sizes.map((size) => (stored += 8 + size));
    const rawEnds = sizes.map((size) => (raw += size));
    chunks.set(id, list);
    layouts.set(id, {
      chunkCount: sizes.length,
      storedEnds: Uint32Array.from(storedEnds),
      rawEnds: Uint32Array.from(rawEnds),
    });
  });
  const terms = picks.map(({ xorb, start, length }) => {
    const xorbId = xorb % xorbs.length;
    const list = chunks.get(xorbId) as number[][];
    const from = start % list.length;
    const end = Math.min(list.length, from + 1 + length);
    const rawBytes = list.slice(from, end).flat().length;
    return { xorbId, start: from, end, rawBytes };
  });
  const file = terms.flatMap((t) => (chunks.get(t.xorbId) as number[][]).slice(t.start, t.end).flat());
  return { layouts, chunks, terms, file };
}

const models = fc
  .tuple(
    fc.array(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.array(fc.record({ xorb: fc.nat(10), start: fc.nat(10), length: fc.nat(5) }), {
      minLength: 1,
      maxLength: 8,
    }),
  )
  .map(([xorbs, picks]) => model(xorbs, picks));

describe('planReconstruction', () => {
  test('a client that follows the plan ends with exactly the range, for every file and range', () => {
    fc.assert(
      fc.property(models, fc.nat(), fc.nat(), (m, a, b) => {
        const start = a % m.file.length;
        const end = Math.min(m.file.length - 1, start + (b % m.file.length));
        const range = { start, end };
        const plan = planReconstruction(selectTerms(m.terms, range), range, m.layouts);
        const bytes = plan.terms.flatMap((t) =>
          (m.chunks.get(t.xorbId) as number[][]).slice(t.start, t.end).flat(),
        );
        for (const term of plan.terms) {
          const list = (m.chunks.get(term.xorbId) as number[][]).slice(term.start, term.end).flat();
          expect(list.length).toBe(term.rawBytes);
        }
        expect(bytes.slice(plan.offsetIntoFirstRange, plan.offsetIntoFirstRange + end - start + 1)).toEqual(
          m.file.slice(start, end + 1),
        );
        // nothing is sent that whole chunks do not require
        const first = plan.terms[0];
        const last = plan.terms.at(-1);
        const firstChunk = (m.chunks.get(first?.xorbId ?? -1) as number[][])[first?.start ?? -1] as number[];
        const lastChunk = (m.chunks.get(last?.xorbId ?? -1) as number[][])[(last?.end ?? 0) - 1] as number[];
        expect(plan.offsetIntoFirstRange).toBeLessThan(firstChunk.length);
        expect(bytes.length - plan.offsetIntoFirstRange - (end - start + 1)).toBeLessThan(lastChunk.length);
      }),
      { numRuns: 1000 },
    );
  });

  test('fetches of a xorb are apart from each other, and every term lies inside one of them', () => {
    fc.assert(
      fc.property(models, (m) => {
        const range = { start: 0, end: m.file.length - 1 };
        const plan = planReconstruction(selectTerms(m.terms, range), range, m.layouts);
        for (const [xorbId, fetches] of plan.fetches) {
          const layout = m.layouts.get(xorbId) as XorbLayout;
          fetches.forEach((fetch, i) => {
            if (i > 0) expect(fetch.start).toBeGreaterThan(fetches[i - 1]?.end ?? 0);
            const before = fetch.start === 0 ? 0 : (layout.storedEnds[fetch.start - 1] as number);
            expect(fetch.bytes).toEqual({
              start: before,
              end: (layout.storedEnds[fetch.end - 1] as number) - 1,
            });
          });
        }
        for (const term of plan.terms) {
          const inside = plan.fetches
            .get(term.xorbId)
            ?.filter((f) => f.start <= term.start && term.end <= f.end);
          expect(inside?.length).toBe(1);
        }
      }),
    );
  });
});
