import type { Language } from './language.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes in decimal units (1 kB = 1000 B), three significant digits: 1234567 -> "1.23 MB". */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** A large count in the reader's short form: 134515008 -> "135M" (or 1.35亿). */
export function formatCount(count: number, language: Language): string {
  return new Intl.NumberFormat(language, { notation: 'compact', maximumSignificantDigits: 3 }).format(count);
}

/** Parameters as the field writes them in every language: 134515008 -> "135M", 7241732096 -> "7.24B". */
export function formatParameters(count: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(count);
}

const STEPS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

const JUST_NOW: Record<Language, string> = { en: 'just now', 'zh-CN': '刚刚' };

/** How long ago, in words: "3 minutes ago". Under a minute (and in the future): "just now". */
export function formatAgo(date: Date, nowMs: number, language: Language): string {
  const seconds = Math.max(0, (nowMs - date.getTime()) / 1000);
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [unit, length] of STEPS) {
    if (seconds >= length) return words.format(-Math.floor(seconds / length), unit);
  }
  return JUST_NOW[language];
}

/** The exact time, in UTC so that two readers name the same moment: "2026-11-23 17:54:02 UTC". */
export function formatExact(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A duration for people: 0.42 s, 12.3 s, 3 min 5 s, 2 h 4 min. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
