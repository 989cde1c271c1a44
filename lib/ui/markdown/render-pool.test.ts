import { expect, test } from 'vitest';
import { createRenderPool } from './render-pool.ts';

const place = {
  repo: { type: 'model', namespace: 'acme', name: 'bert' },
  revision: 'main',
  folder: '',
} as const;
const markdown = (text: string) => ({ kind: 'markdown', text, place }) as const;

test('a text that would take minutes is given up in time, and the next one is rendered', async () => {
  const pool = createRenderPool({ size: 1, limitMs: 1_500 });
  const bomb = pool.render(markdown('>'.repeat(100_000)));
  const after = pool.render(markdown('# Still here'));
  let ticks = 0;
  const ticker = setInterval(() => ticks++, 50);
  expect(await bomb).toBeNull();
  clearInterval(ticker);
  expect(ticks).toBeGreaterThan(15); // the process went on meanwhile
  expect((await after) ?? '').toContain('Still here');
}, 60_000);

test.each([
  ['nested elements', '<div>'.repeat(20_000)],
  ['nested lists', `${'- '.repeat(3_000)}x`],
  ['a formula without end', `$${'\\frac{a}{'.repeat(20_000)}$`],
  ['formulas without number', '$x$ '.repeat(25_000)],
])(
  '%s end as HTML or as nothing, never as a failure',
  async (_, text) => {
    const pool = createRenderPool({ size: 1, limitMs: 3_000 });
    const html = await pool.render(markdown(text));
    expect(html ?? 'nothing').not.toBe('');
    expect((await pool.render({ kind: 'source', text: 'a < b', path: 'x.txt' })) ?? '').toContain('a &lt; b');
  },
  60_000,
);
