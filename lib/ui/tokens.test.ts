import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

type Theme = 'light' | 'dark';
const css = readFileSync(new URL('../../app/globals.css', import.meta.url), 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }] as const,
  ),
);

/** Relative luminance (WCAG 2.2). */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(front: string, back: string, theme: Theme): number {
  const [a = 0, b = 0] = [front, back]
    .map((name) => luminance(tokens.get(name)?.[theme] ?? ''))
    .sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

const SURFACES = ['bg', 'surface', 'sunken', 'hover'];
const PAIRS: readonly (readonly [string, string])[] = [
  ...['fg', 'muted', 'accent-text'].flatMap((text) => SURFACES.map((back) => [text, back] as const)),
  ...['fg', 'muted', 'accent-text'].map((text) => [text, 'accent-soft'] as const),
  ...['ok', 'bad', 'warn', 'info'].flatMap((state) => [
    [state, 'bg'] as const,
    [state, 'surface'] as const,
    [state, `${state}-soft`] as const,
    ['fg', `${state}-soft`] as const,
  ]),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
];

test.each(['light', 'dark'] as const)(
  'all text stands out from what is behind it by 4.5:1 or more (%s)',
  (theme) => {
    expect(tokens.size).toBeGreaterThan(20);
    const weak = PAIRS.filter(([front, back]) => !(contrast(front, back, theme) >= 4.5));
    expect(
      weak.map(([front, back]) => `${front} on ${back}: ${contrast(front, back, theme).toFixed(2)}`),
    ).toEqual([]);
  },
);

test.each(['light', 'dark'] as const)(
  'the focus ring stands out from every surface by 3:1 or more (%s)',
  (theme) => {
    expect(SURFACES.filter((back) => contrast('ring', back, theme) < 3)).toEqual([]);
  },
);
