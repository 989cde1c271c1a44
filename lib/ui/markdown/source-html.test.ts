import { expect, test } from 'vitest';
import { languageOf, sourceHtml } from './source-html.ts';

const textOf = (html: string) =>
  html
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&');

const EVIL = `<script>alert("1")</script>\n"><img src=x onerror='alert(1)'>\n</code></div>&lt;b&gt;\n`;

test.each(['x.txt', 'x.html', 'x.py', 'x.json', 'x.svg', 'x.md'])(
  'a source shown as %s is inert and unchanged',
  async (path) => {
    const html = await sourceHtml(EVIL, path);
    expect(html.match(/<\/?(?!div|a|code|span)[a-z]+/gi)).toBeNull();
    expect(html).not.toMatch(/<[^>]*\son\w+=/i);
    expect(textOf(html)).toBe(`${EVIL}\n`);
  },
);

test('every line has its number as an address', async () => {
  const html = await sourceHtml('a\nb\nc', 'x.py');
  expect([...html.matchAll(/id="L(\d+)"/g)].map((m) => m[1])).toEqual(['1', '2', '3']);
});

test('a language is told by the name of the file', () => {
  expect(
    ['a/Dockerfile', 'x.PY', 'noext', '.gitattributes', 'a.unknown', 'constructor'].map(languageOf),
  ).toEqual(['docker', 'python', 'text', 'ini', 'text', 'text']);
});
