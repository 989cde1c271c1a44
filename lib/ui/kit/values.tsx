import { formatAgo, formatExact, formatSize } from '../format.ts';
import type { Language } from '../language.ts';

/** A moment as the reader counts it ("3 minutes ago"), with the exact time on hover. */
export function Ago({ date, nowMs, language }: { date: Date; nowMs: number; language: Language }) {
  return (
    <time dateTime={date.toISOString()} title={formatExact(date)} className="whitespace-nowrap">
      {formatAgo(date, nowMs, language)}
    </time>
  );
}

/** A size in MB or GB of 1000, with the exact bytes on hover. */
export function Size({ bytes, exact }: { bytes: number; exact: string }) {
  return (
    <span title={exact} className="tabular whitespace-nowrap">
      {formatSize(bytes)}
    </span>
  );
}
