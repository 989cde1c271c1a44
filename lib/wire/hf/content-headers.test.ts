import { expect, test } from 'vitest';
import { contentHeaders } from './content-headers.ts';

test.each(['x.html', 'x.SVG', 'a/x.xml', 'x.pdf', 'x.xhtml', 'x.mhtml', 'x.svgz'])(
  '%s, which a browser would run, is an attachment of no type',
  (path) => {
    const { contentType, contentDisposition } = contentHeaders(path);
    expect(contentType).toBe('application/octet-stream');
    expect(contentDisposition).toMatch(/^attachment; /);
  },
);

test.each([
  ['README.md', 'text/plain; charset=utf-8'],
  ['a/LICENSE', 'text/plain; charset=utf-8'],
  ['config.json', 'application/json'],
  ['x.png', 'image/png'],
  ['model.safetensors', 'application/octet-stream'],
  ['noextension', 'application/octet-stream'],
])('%s is %s', (path, type) => {
  expect(contentHeaders(path).contentType).toBe(type);
});

test('any name is carried by an ASCII header and cannot leave its quotes', () => {
  const { contentDisposition } = contentHeaders('d/mödel "x"\r\n%你\ud800.bin');
  expect(contentDisposition).toMatch(/^[\x20-\x7e]+$/);
  expect(contentDisposition).toContain("filename*=UTF-8''m%C3%B6del%20%22x%22%0D%0A%25%E4%BD%A0");
  expect(contentDisposition.match(/"/g)).toHaveLength(2);
});
