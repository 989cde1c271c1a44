import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_FILE_BYTES, partLengths, partSizeFor } from './part-plan.ts';

describe('the plan of parts', () => {
  it('covers every size up to the limit exactly, within the limits of S3 and of clients', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_FILE_BYTES }), (sizeBytes) => {
        const part = partSizeFor(sizeBytes);
        const lengths = partLengths(sizeBytes, part);
        expect(lengths.length).toBe(Math.ceil(sizeBytes / part));
        expect(lengths.length).toBeLessThanOrEqual(10_000);
        expect(part).toBeLessThanOrEqual(5 * 2 ** 30);
        expect(part).toBeGreaterThanOrEqual(5 * 2 ** 20);
        expect(lengths.reduce((sum, n) => sum + n, 0)).toBe(sizeBytes);
        expect(lengths.slice(0, -1).every((n) => n === part)).toBe(true);
      }),
    );
  });

  it('signs at most a hundred URLs for files up to 500 GiB', () => {
    for (const gib of [1, 6, 7, 50, 499, 500])
      expect(partLengths(gib * 2 ** 30, partSizeFor(gib * 2 ** 30)).length).toBeLessThanOrEqual(100);
  });
});
