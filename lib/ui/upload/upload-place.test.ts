import { expect, test } from 'vitest';
import { commonTop, pathOf, queueKey } from './upload-place.ts';

test('files of a chosen folder lie in it or, when its name is left out, where it would have been', () => {
  expect(pathOf('', 'model/a/b.bin', false)).toBe('model/a/b.bin');
  expect(pathOf('', 'model/a/b.bin', true)).toBe('a/b.bin');
  expect(pathOf('data/train', 'model/b.bin', true)).toBe('data/train/b.bin');
  expect(pathOf('data', 'b.bin', true)).toBe('data/b.bin');
});

test('a folder is common only when every file came with it', () => {
  expect(commonTop(['m/a', 'm/b/c'])).toBe('m');
  expect(commonTop(['m/a', 'n/a'])).toBeNull();
  expect(commonTop(['m/a', 'a'])).toBeNull();
  expect(commonTop([])).toBeNull();
});

test('two places and two users never share a queue', () => {
  const place = {
    repo: { type: 'model', namespace: 'a', name: 'b' },
    branch: 'c',
    folder: 'd',
    mayWrite: true,
    user: 'u',
  } as const;
  const keys = [
    place,
    { ...place, branch: 'c/d', folder: '' },
    { ...place, user: 'v' },
    { ...place, repo: { ...place.repo, type: 'dataset' as const } },
  ].map(queueKey);
  expect(new Set(keys).size).toBe(4);
});
