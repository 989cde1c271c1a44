import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { treemap } from './treemap.ts';

it('gives everything its share of the area, inside the rectangle, without overlaps', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 40 }), (weights) => {
      const items = weights.map((weight, id) => ({ weight, id }));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const tiles = treemap(items, 800, 200);
      expect(tiles.length).toBe(weights.filter((weight) => weight > 0).length);
      for (const { item, x, y, width, height } of tiles) {
        expect(width * height).toBeCloseTo((item.weight / total) * 160_000, 3);
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(-1e-6);
        expect(x + width).toBeLessThanOrEqual(800 + 1e-6);
        expect(y + height).toBeLessThanOrEqual(200 + 1e-6);
      }
      const overlap = (a: (typeof tiles)[0], b: (typeof tiles)[0]) =>
        Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > 1e-6 &&
        Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 1e-6;
      for (const [i, a] of tiles.entries())
        for (const b of tiles.slice(i + 1)) expect(overlap(a, b)).toBe(false);
    }),
    { numRuns: 50 },
  );
});
