import { expect, test } from 'vitest';
import { movedPage } from './moved-page.ts';

const repo = { type: 'model', namespace: 'new', name: 'name' } as const;

test('a moved repo’s pages keep their path and query, in either type, and lose only what Next added', () => {
  expect(movedPage('/old/name/tree/main/a%20b/c', repo)).toBe('/new/name/tree/main/a%20b/c');
  expect(movedPage('/old/name/commits/main?p=2&_rsc=1ab', repo)).toBe('/new/name/commits/main?p=2');
  expect(movedPage('/old/name?_rsc', repo)).toBe('/new/name');
  expect(movedPage('/datasets/old/name/blob/main/x', { ...repo, type: 'dataset' })).toBe(
    '/datasets/new/name/blob/main/x',
  );
});

test('an address that is no page of a repo leads to the repo, never to another site', () => {
  for (const asked of ['', '/', '/x', '//evil.example', 'https://evil.example/a/b'])
    expect(movedPage(asked, repo)).toBe('/new/name');
  expect(movedPage('/old/name//evil.example', repo)).toBe('/new/name//evil.example');
});
