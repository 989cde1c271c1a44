import type { Language } from '../language.ts';

/** A part of a whole in percent: "12 %", "0.4 %"; never 100 % of what is not all, nor 0 % of what is something. */
export function formatShare(part: number, whole: number, language: Language): string {
  const share = whole <= 0 ? 0 : part / whole;
  const digits = share > 0 && share < 0.0995 ? 1 : 0;
  const shown = share < 1 && share > 0.99 ? 0.99 : share > 0 && share < 0.001 ? 0.001 : share;
  const style = { style: 'percent', maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language, style).format(shown);
}
