import { expect, test } from 'vitest';
import { formatAgo, formatDuration, formatExact, formatParameters, formatSize } from './format.ts';

test('sizes use units of 1000 and never show 1000 of a unit', () => {
  expect([0, 999, 1000, 1234567, 12_345_678, 999_999_999, 2 ** 31].map(formatSize)).toEqual([
    '0 B',
    '999 B',
    '1.00 kB',
    '1.23 MB',
    '12.3 MB',
    '1.00 GB',
    '2.15 GB',
  ]);
});

test('parameters are written as the field writes them', () => {
  expect([134_515_008, 7_241_732_096, 1_234].map(formatParameters)).toEqual(['135M', '7.24B', '1.23K']);
});

test('ages are in words of the language, and clocks that run ahead do not make a future', () => {
  const now = Date.UTC(2026, 10, 23, 12);
  const ago = (s: number, l: 'en' | 'zh-CN' = 'en') => formatAgo(new Date(now - s * 1000), now, l);
  expect([ago(-5), ago(59), ago(60), ago(7_300), ago(86_400)]).toEqual([
    'just now',
    'just now',
    '1 minute ago',
    '2 hours ago',
    'yesterday',
  ]);
  expect(ago(180, 'zh-CN')).toBe('3分钟前');
  expect(formatExact(new Date(now))).toBe('2026-11-23 12:00:00 UTC');
});

test('durations keep what matters at their scale', () => {
  expect([0, 420, 1_100, 12_345, 185_000, 7_440_000].map(formatDuration)).toEqual([
    '0.00 s',
    '0.42 s',
    '1.1 s',
    '12 s',
    '3 min 5 s',
    '2 h 4 min',
  ]);
});
