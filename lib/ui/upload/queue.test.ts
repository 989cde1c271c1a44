import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Queue } from './queue.ts';
import { isJunk, overlapOf, type UploadItem, type UploadState, type UploadStep } from './upload-item.ts';

function item(id: string, more: Partial<UploadItem> = {}): UploadItem {
  return {
    id,
    source: id,
    path: id,
    sizeBytes: 10,
    modifiedMs: 0,
    state: 'waiting',
    step: 'send',
    how: 'upload',
    reason: '',
    sha256: null,
    presentOid: null,
    blobOid: null,
    uploadUrl: null,
    mayGoDirect: false,
    direct: null,
    hashedBytes: 0,
    sentBytes: 0,
    ...more,
  };
}

test('the sums are those of the files that are there, after any changes', () => {
  const state = fc.constantFrom<UploadState>('waiting', 'sending', 'stored', 'done', 'failed');
  const step = fc.constantFrom<UploadStep>('preflight', 'send', 'finished');
  const change = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    sizeBytes: fc.nat(1000),
    sentBytes: fc.nat(2000),
    state,
    step,
    sha256: fc.constantFrom(null, 'x'),
    presentOid: fc.constantFrom(null, 'x', 'y'),
    gone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const queue = new Queue();
      for (const { gone, id, ...more } of changes) {
        if (gone) queue.remove(id);
        else if (queue.get(id)) queue.patch(id, more);
        else queue.put(item(id, more));
      }
      const all = queue.list();
      const sum = (of: (each: UploadItem) => number) => all.reduce((total, each) => total + of(each), 0);
      const totals = queue.totals();
      expect(totals.bytes).toBe(sum((each) => each.sizeBytes));
      expect(totals.sentBytes).toBe(
        sum((each) => (each.step === 'finished' ? each.sizeBytes : Math.min(each.sizeBytes, each.sentBytes))),
      );
      expect(totals.storedBytes).toBe(sum((each) => (each.state === 'stored' ? each.sizeBytes : 0)));
      expect(totals.finished).toBe(sum((each) => (each.step === 'finished' ? 1 : 0)));
      for (const overlap of ['replaces', 'same'] as const)
        expect(totals.overlaps[overlap]).toBe(sum((each) => (overlapOf(each) === overlap ? 1 : 0)));
      expect(totals.states.failed).toBe(sum((each) => (each.state === 'failed' ? 1 : 0)));
    }),
  );
});

test('what waits for a step is found by size, and what is paused or busy is not', () => {
  const queue = new Queue();
  queue.put(item('middle', { sizeBytes: 20 }));
  queue.put(item('small', { sizeBytes: 10 }));
  queue.put(item('large', { sizeBytes: 30 }));
  queue.put(item('paused', { sizeBytes: 1, state: 'paused' }));
  queue.put(item('to hash', { sizeBytes: 99, step: 'hash' }));
  expect([queue.next('send', 'smallest')?.id, queue.next('send', 'largest')?.id]).toEqual(['small', 'large']);
  expect(queue.waitingFor('send', 2).map((each) => each.id)).toEqual(['middle', 'small']);
  expect(queue.next('link', 'smallest')).toBeUndefined();
});

test('what systems leave in folders is told from what people put there', () => {
  expect(
    ['.DS_Store', 'a/Thumbs.db', 'repo/.git/config', 'x/__MACOSX/y', 'a/._b.txt'].filter(
      (path) => !isJunk(path),
    ),
  ).toEqual([]);
  expect(
    ['.gitattributes', 'a/.gitignore', 'git/config', 'thumbs.db.txt', '_._'].filter((path) => isJunk(path)),
  ).toEqual([]);
});

test('a file is the same as what lies at its path by the name that the hub knows it by, else it takes its place', () => {
  expect(overlapOf(item('new'))).toBe('none');
  expect(overlapOf(item('large', { presentOid: 'a', sha256: 'a' }))).toBe('same');
  expect(overlapOf(item('large', { presentOid: 'a', sha256: null }))).toBe('replaces');
  expect(overlapOf(item('small', { presentOid: 'a', how: 'inline', blobOid: 'a' }))).toBe('same');
  expect(overlapOf(item('small', { presentOid: 'a', how: 'inline', sha256: 'a' }))).toBe('replaces');
});
