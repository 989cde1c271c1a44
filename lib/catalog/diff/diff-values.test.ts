import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '#lib/base/json.ts';
import { diffValues } from './diff-values.ts';

const brief = (before: Json, after: Json) =>
  diffValues(before, after).changes.map(
    (change) => `${change.kind} ${change.path}: ${change.before} → ${change.after}`,
  );

test('values are told by their path: added, removed, changed', () => {
  const before = { a: 1, rope: { theta: 10000, type: 'linear' }, gone: null, 'odd key': true };
  const after = { a: 1, rope: { theta: 1e6, type: 'linear', factor: 2 }, 'odd key': false };
  expect(brief(before, after)).toEqual([
    'changed rope.theta: 10000 → 1000000',
    'added rope.factor: null → 2',
    'removed gone: null → null',
    'changed ["odd key"]: true → false',
  ]);
});

test('a list of plain values is one change that says what came and went', () => {
  expect(diffValues({ tags: ['a', 'b', 'b'] }, { tags: ['b', 'c', 'a'] }).changes).toEqual([
    {
      path: 'tags',
      kind: 'changed',
      before: '["a","b","b"]',
      after: '["b","c","a"]',
      items: { added: ['"c"'], removed: ['"b"'] },
    },
  ]);
});

test('objects of a list are found again by their names, else by position', () => {
  const list = (...names: string[]) => names.map((name) => ({ name, value: name.length }));
  expect(brief({ l: list('a', 'bb') }, { l: list('ccc', 'bb', 'a') })).toEqual([
    'added l[ccc]: null → {"name":"ccc","value":3}',
  ]);
  expect(brief([{ x: 1 }, { x: 2 }], [{ x: 1 }, { x: 3 }])).toEqual(['changed [1].x: 2 → 3']);
  expect(brief({ a: [1] }, { a: { 0: 1 } })).toEqual(['changed a: [1] → {"0":1}']);
});

test('equal values differ in nothing, and any other pair in something', () => {
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
  fc.assert(
    fc.property(json, json, (a, b) => {
      const [x, y] = [JSON.parse(JSON.stringify(a)) as Json, JSON.parse(JSON.stringify(b)) as Json];
      expect(diffValues(x, structuredClone(x)).changes).toEqual([]);
      const sorted = (value: Json) =>
        JSON.stringify(value, (_key, v: unknown) =>
          v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v,
        );
      if (diffValues(x, y).changes.length === 0 && JSON.stringify(x) !== JSON.stringify(y))
        expect(sorted(x).length).toBe(sorted(y).length); // only the order of keys or of named objects
    }),
    { numRuns: 200 },
  );
});

test('thousands of changes are cut, and said to be', () => {
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]));
  const { changes, isComplete } = diffValues({}, many);
  expect([changes.length, isComplete]).toEqual([1_000, false]);
});
