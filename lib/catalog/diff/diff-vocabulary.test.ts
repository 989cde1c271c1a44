import { expect, test } from 'vitest';
import { diffVocabulary, parseVocabulary } from './diff-vocabulary.ts';

const tokenizer = (vocab: unknown, more: Record<string, unknown> = {}, merges: unknown[] = []) =>
  JSON.stringify({
    normalizer: { type: 'NFC' },
    added_tokens: [],
    ...more,
    model: { type: 'BPE', vocab, merges },
  });
const diff = (path: string, before: string, after: string) =>
  diffVocabulary(parseVocabulary(path, before), parseVocabulary(path, after));

test('a tokenizer is compared by tokens, ids, added tokens, merges and settings', () => {
  const before = tokenizer({ a: 0, b: 1, c: 2 }, {}, ['a b', 'b c']);
  const after = tokenizer(
    { a: 0, b: 2, d: 1 },
    { normalizer: { type: 'NFKC' }, added_tokens: [{ id: 3, content: '<pad>', special: true }] },
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  );
  const found = diff('x/tokenizer.json', before, after);
  expect(found.tokens).toEqual({
    before: 3,
    after: 3,
    counts: { added: 1, removed: 1, changed: 1 },
    first: [
      { token: 'b', before: 1, after: 2 },
      { token: 'd', before: null, after: 1 },
      { token: 'c', before: 2, after: null },
    ],
  });
  expect(found.added.first).toEqual([{ token: '<pad>', before: null, after: 3 }]);
  expect(found.merges).toMatchObject({ counts: { added: 1, removed: 1 }, before: 2, after: 2 });
  expect(found.settings.changes.map((change) => change.path)).toEqual(['normalizer.type']);
});

test('Unigram lists, vocab.json, vocab.txt, added_tokens.json and merges.txt are read too', () => {
  expect(
    diff(
      'tokenizer.json',
      tokenizer([['a', -1]]),
      tokenizer([
        ['a', -1],
        ['b', -2],
      ]),
    ).tokens.first,
  ).toEqual([{ token: 'b', before: null, after: 1 }]);
  expect(diff('vocab.json', '{"a":0}', '{"a":1}').tokens.counts.changed).toBe(1);
  expect(diff('vocab.txt', '[PAD]\n[UNK]\n', '[PAD]\n[CLS]\n[UNK]\n').tokens.counts).toEqual({
    added: 1,
    removed: 0,
    changed: 1,
  });
  expect(diff('added_tokens.json', '', '{"<x>":9}').added.counts.added).toBe(1);
  expect(diff('merges.txt', '#version: 0.2\na b\n', '#version: 0.2\na b\nc d\n').merges.counts).toEqual({
    added: 1,
    removed: 0,
  });
});

test('a hundred thousand new tokens are counted, and the first ones listed', () => {
  const many = JSON.stringify(Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, i])));
  const { tokens } = diff('vocab.json', '{}', many);
  expect([tokens.counts.added, tokens.first.length]).toEqual([100_000, 300]);
});

test.each(['{', '[1', '7x'])('what is no tokenizer is refused: %s', (text) => {
  expect(() => parseVocabulary('tokenizer.json', text)).toThrow(SyntaxError);
});
