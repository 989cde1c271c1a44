import { describe, expect, test } from 'vitest';
import { createMatcher } from '#lib/wire/match.ts';
import { type Method, route } from '#lib/wire/route.ts';

const of = (methods: Method | Method[], pattern: string | string[]) =>
  route(methods, pattern, { operation: String(pattern), access: 'public' }, async () => {});

const match = createMatcher([
  of('POST', '/:ns/:name.git/info/lfs/objects/batch'),
  of(['GET', 'HEAD'], ['/:ns/:name/resolve/*rest', '/datasets/:ns/:name/resolve/*rest']),
  of('GET', '/api/:type(models|datasets)/:ns/:name'),
  of('GET', '/api/:type(models|datasets)/:ns/:name/tree/*rest'),
]);

describe('matching of raw paths', () => {
  test('a segment is decoded exactly once and the rest stays raw', () => {
    const found = match('GET', '/a%20b/m/resolve/refs%2Fpr%2F1/to%3F/x%2520y');
    expect(found).toMatchObject({
      kind: 'route',
      params: { ns: 'a b', name: 'm', rest: 'refs%2Fpr%2F1/to%3F/x%2520y' },
    });
  });

  test('a literal suffix is no part of the parameter', () => {
    expect(match('POST', '/acme/bert.v2.git/info/lfs/objects/batch')).toMatchObject({
      params: { name: 'bert.v2' },
    });
  });

  test('a parameter never spans a slash and an enumeration admits only its words', () => {
    expect(match('GET', '/api/models/a/b/c')).toBeNull();
    expect(match('GET', '/api/spaces/a/b')).toBeNull();
  });

  test('a trailing rest may be absent, empty or long', () => {
    for (const [path, rest] of [
      ['', ''],
      ['/', ''],
      ['/main', 'main'],
      ['/main/a//b', 'main/a//b'],
    ] as const) {
      expect(match('GET', `/api/models/a/b/tree${path}`)).toMatchObject({ params: { rest } });
    }
  });

  test('a known path with another method names the methods it has', () => {
    expect(match('DELETE', '/api/models/a/b')).toMatchObject({ kind: 'method', allow: ['GET'] });
  });

  test('a broken percent-escape is refused as not found, not as a crash', () => {
    expect(() => match('GET', '/api/models/%zz/b')).toThrow(/percent-escape/);
  });
});
