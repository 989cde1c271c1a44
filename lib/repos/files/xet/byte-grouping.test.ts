import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinByteGroups } from './byte-grouping.ts';

test('joining undoes grouping for every length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const grouped = [0, 1, 2, 3].flatMap((group) => [...bytes].filter((_, i) => i % 4 === group));
      const out = new Uint8Array(bytes.length);
      joinByteGroups(Uint8Array.from(grouped), out);
      expect(out).toEqual(bytes);
    }),
  );
});
