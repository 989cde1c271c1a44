import { expect, it } from 'vitest';
import type { RepoId } from '#lib/base/ids.ts';
import { BoundedCache } from './oid-cache.ts';

const one = 1 as RepoId;

it('keeps no more than the stated bytes, forgets the least recently used first, and replaces', () => {
  const cache = new BoundedCache<string>(100);
  for (let i = 0; i < 10; i++) cache.set(one, `k${i}`, `v${i}`, 10);
  expect(cache.get(one, 'k0')).toBe('v0'); // used: k1 is now the oldest
  cache.set(one, 'k3', 'new', 10);
  cache.set(one, 'k10', 'v10', 10);
  expect([cache.get(one, 'k0'), cache.get(one, 'k1'), cache.get(one, 'k3')]).toEqual([
    'v0',
    undefined,
    'new',
  ]);
  cache.set(one, 'huge', 'x', 50);
  expect(cache.get(one, 'huge')).toBe(undefined);
});

it('never answers for another repo', () => {
  const cache = new BoundedCache<string>(100);
  cache.set(one, 'k', 'v', 10);
  expect(cache.get(2 as RepoId, 'k')).toBe(undefined);
});
