import { expect, test } from 'vitest';
import { parseFrontMatter } from '#lib/repos/front-matter.ts';
import { bodyOf } from './body-of.ts';

test('the preview begins where the card begins', () => {
  for (const text of [
    '# No metadata\n\n---\nrule',
    '---\nlicense: mit\n---\n# Card\n---\nmore',
    '---\r\nlicense: mit\r\n---\r\n# Card',
    '\uFEFF---\na: 1\n---\n# Card',
    '\n---\na: 1\n---',
    '---\n---\n# Empty block',
    '---\nnever closed\n',
    '---\na: "x --- y"\n--- not this\n---\nbody',
    '',
  ])
    expect(bodyOf(text).replace('\uFEFF', ''), JSON.stringify(text)).toBe(parseFrontMatter(text).body);
});
