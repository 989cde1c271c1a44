import { expect, test } from 'vitest';
import { fileAddress, repoAddress, safeNext } from './addresses.ts';

test('segments are encoded, so no name can leave its place in an address', () => {
  const ref = { type: 'model', namespace: 'acme', name: 'a b' } as const;
  expect(repoAddress({ ...ref, type: 'dataset' })).toBe('/datasets/acme/a%20b');
  expect(fileAddress(ref, 'blob', 'refs/pr/1', 'x/#?/ü.txt')).toBe(
    '/acme/a%20b/blob/refs%2Fpr%2F1/x/%23%3F/%C3%BC.txt',
  );
  expect(fileAddress(ref, 'tree', 'main')).toBe('/acme/a%20b/tree/main');
});

test('after signing in nobody is sent to another site', () => {
  for (const evil of [
    '//evil',
    '/\\evil',
    '/%5cevil',
    '/%2f/evil',
    'https:evil',
    'javascript:alert(1)',
    '/a\r\nb',
    '/a\\b',
    '',
    undefined,
  ]) {
    expect(safeNext(evil), String(evil)).toBe('/');
  }
  expect(safeNext('/acme/bert?x=1')).toBe('/acme/bert?x=1');
});
