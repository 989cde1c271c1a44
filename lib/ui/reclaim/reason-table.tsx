'use client';

import { Size } from '../kit/values.tsx';
import { useTranslator } from '../reader.tsx';
import type { reclaimableOf } from './storage-line.ts';

/** Bytes that can be reclaimed, by reason: at once, and after grace and pins. */
export function ReasonTable({ lines }: { lines: ReturnType<typeof reclaimableOf> }) {
  const t = useTranslator();
  if (lines.length === 0) return <p>{t('reclaim.nothing')}</p>;
  const sum = (what: 'now' | 'later') => lines.reduce((total, line) => total + line[what], 0);
  const size = (bytes: number) => <Size bytes={bytes} exact={t('words.bytes', { count: bytes })} />;
  return (
    <table className="w-full text-left">
      <thead className="text-sm text-muted">
        <tr>
          <th className="py-1 font-medium">{t('reclaim.reason')}</th>
          <th className="py-1 pl-3 text-right font-medium">{t('reclaim.now')}</th>
          <th className="py-1 pl-3 text-right font-medium">{t('reclaim.later')}</th>
        </tr>
      </thead>
      <tbody className="divide-y divide-line border-y border-line">
        {lines.map(({ reason, now, later }) => (
          <tr key={reason}>
            <th className="py-1.5 font-normal">{t(`reclaim.reasons.${reason}`)}</th>
            <td className="py-1.5 pl-3 text-right">{size(now)}</td>
            <td className="py-1.5 pl-3 text-right">{size(later)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot className="font-semibold">
        <tr>
          <th className="py-1.5">{t('reclaim.total')}</th>
          <td className="py-1.5 pl-3 text-right">{size(sum('now'))}</td>
          <td className="py-1.5 pl-3 text-right">{size(sum('later'))}</td>
        </tr>
      </tfoot>
    </table>
  );
}
