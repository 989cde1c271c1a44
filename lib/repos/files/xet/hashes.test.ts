import { describe, expect, test } from 'vitest';
import { chunkHash, hashBytes, hashText, parseHashText, ZERO_HASH } from './hashes.ts';

describe('Xet hashes', () => {
  test('the string form reverses each group of eight bytes, and back', () => {
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
    const text = hashText(bytes);
    expect(text).toBe('07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918');
    expect(hashBytes(text).equals(bytes)).toBe(true);
  });

  test('the string form of a path is parsed in either case and refused otherwise', () => {
    expect(parseHashText('A'.repeat(64))).toBe('a'.repeat(64));
    for (const bad of [undefined, '', 'a'.repeat(63), 'g'.repeat(64), `${'a'.repeat(64)}\n`])
      expect(parseHashText(bad)).toBeUndefined();
  });

  test('hashing is keyed: a chunk is not its plain BLAKE3', () => {
    // plain BLAKE3 of nothing is af1349b9…
    expect(chunkHash(Buffer.alloc(0)).toString('hex').startsWith('af1349b9')).toBe(false);
    expect(ZERO_HASH.length).toBe(32);
  });

  test('a hash does not depend on those before it, and they keep no memory', () => {
    const [a, b] = [Buffer.from('a'), Buffer.from('b')];
    const first = chunkHash(a);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 100_000; i++) chunkHash(b);
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6); // a hasher each made it 200 MB
    expect(chunkHash(a)).toEqual(first);
    expect(chunkHash(b)).not.toEqual(first);
  });
});
