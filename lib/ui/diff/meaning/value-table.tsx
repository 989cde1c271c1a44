'use client';

import type { ValueChange, ValueDiff } from '#lib/catalog/diff/diff-values.ts';
import { useTranslator } from '../../reader.tsx';
import { KindMark } from '../file-marks.tsx';
import { WordsLine } from '../words-line.tsx';

const KINDS = { added: 'added', removed: 'removed', changed: 'modified' } as const;
const cell = 'px-3 py-1.5 align-top first:pl-4 last:pr-4';
const removed = 'rounded-xs bg-bad-soft px-1 text-bad [overflow-wrap:anywhere]';
const added = 'rounded-xs bg-ok-soft px-1 text-ok [overflow-wrap:anywhere]';

/** Values that differ: where they stand, what was there, what is there now. */
export function ValueTable({ diff, empty }: { diff: ValueDiff; empty: string }) {
  const t = useTranslator();
  if (diff.changes.length === 0) return <WordsLine>{empty}</WordsLine>;
  return (
    <div className="overflow-x-auto">
      <table className="w-full border-collapse text-left">
        <thead>
          <tr className="border-b border-line text-sm text-muted">
            <th scope="col" className={`${cell} w-1/3 font-normal`}>
              {t('diff.key')}
            </th>
            <th scope="col" className={`${cell} font-normal`}>
              {t('diff.value')}
            </th>
          </tr>
        </thead>
        <tbody className="font-mono text-xs leading-5">
          {diff.changes.map((change) => (
            <tr key={change.path} className="border-b border-line last:border-b-0">
              <th scope="row" className={`${cell} font-normal [overflow-wrap:anywhere]`}>
                <KindMark kind={KINDS[change.kind]} /> {change.path || t('diff.wholeValue')}
              </th>
              <td className={cell}>
                <Values change={change} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!diff.isComplete && <WordsLine>{t('diff.moreValues', { count: diff.changes.length })}</WordsLine>}
    </div>
  );
}

/** Old and new; of a list only what came and went, unless it was merely put in another order. */
function Values({ change: { before, after, items } }: { change: ValueChange }) {
  const t = useTranslator();
  if (items && items.added.length + items.removed.length > 0)
    return (
      <ul className="flex flex-wrap gap-1.5">
        {items.removed.map((item, i) => (
          // oxlint-disable-next-line react/no-array-index-key -- a value may come twice
          <li key={`-${item}${i}`} className={removed}>
            − {item}
          </li>
        ))}
        {items.added.map((item, i) => (
          // oxlint-disable-next-line react/no-array-index-key -- a value may come twice
          <li key={`+${item}${i}`} className={added}>
            + {item}
          </li>
        ))}
      </ul>
    );
  return (
    <span className="flex flex-wrap items-baseline gap-1.5">
      {before !== null && <span className={removed}>{before}</span>}
      {before !== null && after !== null && <span className="text-muted">→</span>}
      {after !== null && <span className={added}>{after}</span>}
      {items && <span className="font-sans text-muted">{t('diff.reordered')}</span>}
    </span>
  );
}
