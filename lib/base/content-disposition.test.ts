import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentDisposition } from './content-disposition.ts';

const NAMES = [
  'model.safetensors',
  'with space.bin',
  'a"b\\c.txt',
  "it's (1)*.bin",
  '模型.gguf',
  '🤗.bin',
  'a\r\nSet-Cookie: x=1',
  '100%25.txt',
  '..',
  '.hidden',
  `${'长'.repeat(85)}`,
  'semi;colon,comma=.txt',
  '\ud800lone',
  '\u202egnp.exe',
];

/** What RFC 8187 says a client reads. */
const readBack = (header: string) => decodeURIComponent(/filename\*=UTF-8''([^;]*);/.exec(header)?.[1] ?? '');

test.each(NAMES)('the name %j arrives as it is, and its ASCII form in quotes', (name) => {
  const header = contentDisposition('attachment', name);
  expect(readBack(header)).toBe(name.toWellFormed());
  expect(header).toMatch(/^attachment; filename\*=UTF-8''[A-Za-z0-9%!#$&+\-.^_`|~]*; filename="[^"\\]*";$/);
});

test('nothing in any name can end the quotes or the header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      const header = contentDisposition('inline', name);
      expect(header).toMatch(/^[\x20-\x7e]+$/);
      expect(header.match(/"/g)).toHaveLength(2);
      expect(readBack(header)).toBe(name.toWellFormed());
    }),
  );
});
