import { expect, test } from 'vitest';
import { evaluateRange } from './evaluate-range.ts';

const ask = (range?: string, more: Partial<Parameters<typeof evaluateRange>[0]> = {}) =>
  evaluateRange({ method: 'GET', etag: '"e"', sizeBytes: 1000, range, ...more });

test.each([
  [undefined, { status: 200 }],
  ['bytes=0-0', { status: 206, start: 0, end: 0 }],
  ['bytes=100-199', { status: 206, start: 100, end: 199 }],
  ['bytes=900-5000', { status: 206, start: 900, end: 999 }],
  ['bytes=999-', { status: 206, start: 999, end: 999 }],
  ['bytes=-10', { status: 206, start: 990, end: 999 }],
  ['bytes=-5000', { status: 206, start: 0, end: 999 }],
  ['bytes=1000-', { status: 416 }],
  ['bytes=-0', { status: 416 }],
  ['bytes=5-4', { status: 200 }],
  ['bytes=-', { status: 200 }],
  ['bytes=0-1,5-6', { status: 200 }],
  ['items=0-1', { status: 200 }],
  ['bytes=1e3-', { status: 200 }],
] as const)('Range %s of 1000 bytes', (range, verdict) => {
  expect(ask(range)).toEqual(verdict);
});

test('an empty file is never 416', () => {
  expect(ask('bytes=0-0', { sizeBytes: 0 })).toEqual({ status: 200 });
});

test('a HEAD ignores Range, as it must', () => {
  expect(ask('bytes=0-0', { method: 'HEAD' })).toEqual({ status: 200 });
});

test('If-None-Match compares weakly and beats Range', () => {
  expect(ask('bytes=0-0', { ifNoneMatch: '"x", W/"e"' })).toEqual({ status: 304 });
  expect(ask(undefined, { ifNoneMatch: '*' })).toEqual({ status: 304 });
  expect(ask(undefined, { ifNoneMatch: '"x"' })).toEqual({ status: 200 });
});

test('If-Range with another, a weak or a dated tag gives the whole file, never a mixture', () => {
  expect(ask('bytes=5-9', { ifRange: '"e"' }).status).toBe(206);
  for (const ifRange of ['"old"', 'W/"e"', 'Wed, 21 Oct 2015 07:28:00 GMT'])
    expect(ask('bytes=5-9', { ifRange })).toEqual({ status: 200 });
});
