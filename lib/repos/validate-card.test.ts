import { expect, test } from 'vitest';
import { parseFrontMatter } from './front-matter.ts';
import { validateCard } from './validate-card.ts';

const card = (yaml: string, body = '# Title\n') => `---\n${yaml}\n---\n${body}`;

test('a card is split into plain JSON and its Markdown', () => {
  const { data, body, errors } = parseFrontMatter(
    card('license: mit\nlanguage:\n- en\n- no\ndate: 2024-01-02\ntags: [a, 1]'),
  );
  expect(errors).toEqual([]);
  expect(data).toEqual({ license: 'mit', language: ['en', 'no'], date: '2024-01-02', tags: ['a', 1] });
  expect(body).toBe('# Title\n');
});

test('a README without metadata is all body', () => {
  expect(parseFrontMatter('# Hi\n---\na: 1\n---\n')).toMatchObject({ present: false, data: {} });
  expect(parseFrontMatter('---\nnever closed\n').present).toBe(false);
  expect(parseFrontMatter('').present).toBe(false);
});

test('CRLF, a BOM and blank lines before the block are read', () => {
  expect(parseFrontMatter('\uFEFF\r\n---\r\nlicense: mit\r\n---\r\nx').data).toEqual({ license: 'mit' });
});

test('hostile YAML ends as errors, quickly, and never as an exception or a polluted prototype', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
    .split('')
    .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`)
    .join('\n')}`;
  expect(parseFrontMatter(card(bomb)).errors).not.toEqual([]);
  expect(parseFrontMatter(card('f: !!js/function "function(){}"')).errors[0]).toMatch(/line 2.*tag/);
  expect(parseFrontMatter(card('a: 1\na: 2')).errors[0]).toMatch(/line 3/);
  expect(parseFrontMatter(card(`a: ${'['.repeat(100_000)}`)).errors).not.toEqual([]);
  expect(parseFrontMatter(card('- '.repeat(50_000))).errors).not.toEqual([]);
  expect(parseFrontMatter(card(`a: ${'x'.repeat(2_000_000)}`)).errors[0]).toMatch(/longer than/);
  expect(parseFrontMatter(card('- just\n- a list')).errors[0]).toMatch(/mapping/);
  const { data } = parseFrontMatter(card('__proto__:\n  polluted: true\nx: "a\\0b"\nn: .nan'));
  expect(data).toEqual({ x: 'ab', n: null });
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('no metadata block stops the process: what would take the parser minutes is refused or read in seconds', () => {
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${i}: 1`).join('\n');
  const hostile: Record<string, string> = {
    keys: keys(80_000),
    'as many keys as may be': keys(20_000),
    items: `a: [${'x,'.repeat(300_000)}]`,
    quotes: `a: ${'"'.repeat(900_000)}`,
    errors: ': : :\n'.repeat(100_000),
    tags: Array.from({ length: 60_000 }, (_, i) => `k${i}: !x y`).join('\n'),
  };
  for (const [name, yaml] of Object.entries(hostile)) {
    const start = performance.now();
    parseFrontMatter(`---\n${yaml}\n---\n`);
    expect(performance.now() - start, name).toBeLessThan(15_000); // it took 517,000 once
  }
  expect(parseFrontMatter(`---\n${keys(80_000)}\n---\nbody`)).toMatchObject({
    body: 'body',
    errors: [expect.stringContaining('more than 50000')],
  });
  expect(Object.keys(parseFrontMatter(`---\n${keys(10_000)}\n---\n`).data)).toHaveLength(10_000);
});

test('a key that is there twice is an error that names its line', () => {
  const { errors } = parseFrontMatter('---\na: 1\nb:\n  c: 1\n  c: 2\na: 3\n---\n');
  expect(errors).toEqual(['line 6: Map keys must be unique', 'line 5: Map keys must be unique']);
});

test('a card without metadata is a warning, broken YAML an error that names the line', () => {
  expect(validateCard('# Hello')).toEqual({
    errors: [],
    warnings: [expect.stringMatching(/empty or missing yaml metadata in repo card/)],
  });
  expect(validateCard(card('license: [mit')).errors[0]).toMatch(/^YAML metadata: line \d/);
});

test('wrong types, impossible ids and an incomplete model-index are errors that name the key', () => {
  expect(validateCard(card('tags: x')).errors).toEqual(['"tags" must be an array']);
  expect(validateCard(card('base_model: ./out put')).errors[0]).toMatch(/"base_model" with value/);
  expect(validateCard(card('datasets: [a/b, "c d"]')).errors[0]).toMatch(/"datasets\[1\]"/);
  expect(validateCard(card('license: {a: b}')).errors[0]).toMatch(/"license"/);
  const { errors } = validateCard(
    card('model-index:\n- name: m\n  results:\n  - task: {type: x}\n    metrics:\n    - type: acc'),
  );
  expect(errors).toEqual([
    '"model-index[0].results[0].dataset" is required',
    '"model-index[0].results[0].metrics[0].value" is required',
  ]);
});

test('a full honest card passes without a word', () => {
  const yaml = `license: apache-2.0
language: [en, zh]
library_name: transformers
pipeline_tag: text-generation
base_model: HuggingFaceTB/SmolLM2-135M
tags: [gguf]
datasets: [squad, a/b]
model-index:
- name: m
  results:
  - task: {type: text-generation, name: x}
    dataset: {type: d, name: D}
    metrics: [{type: acc, value: 0.5}]`;
  expect(validateCard(card(yaml))).toEqual({ errors: [], warnings: [] });
});
