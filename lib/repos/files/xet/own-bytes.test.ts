import { expect, test } from 'vitest';
import { ownBytes } from './own-bytes.ts';

test('a view into larger memory is sent with its own bytes alone, unless that memory moves', () => {
  const pool = new Uint8Array(65_536).fill(7);
  const whole = Uint8Array.of(1, 2, 3);
  const slab = new Uint8Array(new ArrayBuffer(4096), 0, 10);
  const sent = ownBytes({ part: pool.subarray(5, 8), whole, slab, origin: { rawStart: 4 } }, [slab.buffer]);
  expect(sent.part).toEqual(Uint8Array.of(7, 7, 7));
  expect(sent.part.buffer.byteLength).toBe(3);
  expect(sent.whole).toBe(whole);
  expect(sent.slab).toBe(slab);
  expect(sent.origin).toEqual({ rawStart: 4 });
});
