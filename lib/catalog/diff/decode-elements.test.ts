import { expect, test } from 'vitest';
import { elementType } from './decode-elements.ts';

function decode(dtype: string, bytes: Buffer): number[] {
  const type = elementType(dtype);
  if (type === undefined) throw new Error(dtype);
  const out = new Float64Array((bytes.length / type.bytes) * type.elements);
  type.decode(bytes, out);
  return [...out];
}
const words = (...values: number[]) => Buffer.concat(values.map((v) => Buffer.from([v & 255, v >> 8])));

test('floats of every width are read by their definitions', () => {
  expect(decode('F16', words(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00))).toEqual([
    1,
    -2,
    2 ** -24,
    65504,
    Infinity,
  ]);
  expect(decode('BF16', words(0x3f80, 0xc000, 0x7f80))).toEqual([1, -2, Infinity]);
  expect(decode('F8_E4M3', Buffer.from([0x38, 0xb8, 0x7e, 0x01, 0x7f]))).toEqual([
    1,
    -1,
    448,
    2 ** -9,
    Number.NaN,
  ]);
  expect(decode('F8_E5M2', Buffer.from([0x3c, 0xc0, 0x7b]))).toEqual([1, -2, 57344]);
  expect(elementType('Q4_K')).toBeUndefined();
});

test('blocks of quantised types give scale times number, and least value where there is one', () => {
  const q8 = Buffer.concat([
    words(0x3800),
    Buffer.from(Int8Array.from({ length: 32 }, (_, i) => i - 16).buffer),
  ]);
  expect(decode('Q8_0', q8)).toEqual(Array.from({ length: 32 }, (_, i) => (i - 16) / 2));
  const bytes = Buffer.from(Array.from({ length: 16 }, (_, i) => i | ((15 - i) << 4)));
  const first = Array.from({ length: 16 }, (_, i) => i);
  const expected = (valueOf: (n: number) => number) => [
    ...first.map(valueOf),
    ...first.map((n) => valueOf(15 - n)),
  ];
  expect(decode('Q4_0', Buffer.concat([words(0x4000), bytes]))).toEqual(expected((n) => 2 * (n - 8)));
  expect(decode('Q4_1', Buffer.concat([words(0x4000, 0x3c00), bytes]))).toEqual(expected((n) => 2 * n + 1));
});
