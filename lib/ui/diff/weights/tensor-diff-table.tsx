'use client';

import { Search } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import type { TensorFacts, TensorRow } from '#lib/catalog/diff/types.ts';
import { formatSize } from '../../format.ts';
import { Button } from '../../kit/button.tsx';
import { Input } from '../../kit/field.tsx';
import { useTranslator } from '../../reader.tsx';

const STEP = 50;
const cell = 'px-2 py-1.5 align-top first:pl-4 last:pr-4';

const TONES = {
  added: 'text-ok',
  removed: 'text-bad',
  changed: 'text-warn',
  retyped: 'text-warn',
  renamed: 'text-info',
  unchanged: 'text-muted',
  unknown: 'text-muted',
} as const;

/** Every tensor, what differs first: what happened to it, its form, and how far it moved. */
export function TensorDiffTable({ rows, total }: { rows: readonly TensorRow[]; total: number }) {
  const t = useTranslator();
  const [query, setQuery] = useState('');
  const [limit, setLimit] = useState(STEP / 5);
  const wanted = useDeferredValue(query.trim().toLowerCase());
  const matches =
    wanted === ''
      ? rows
      : rows.filter(({ name, oldName }) => `${name} ${oldName ?? ''}`.toLowerCase().includes(wanted));
  return (
    <div className="border-t border-line">
      <div className="flex items-center gap-3 px-4 py-2">
        <div className="relative max-w-sm flex-1">
          <Search className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted" />
          <Input
            type="search"
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            aria-label={t('repo.filterTensors')}
            placeholder={t('repo.filterTensors')}
            className="pl-9"
          />
        </div>
        <span className="tabular text-sm text-muted" aria-live="polite">
          {t('repo.tensorsShown', { shown: matches.length, total })}
        </span>
      </div>
      <div className="overflow-x-auto">
        <table className="w-full border-collapse text-left">
          <Head />
          <tbody className="font-mono text-xs">
            {matches.slice(0, limit).map((row) => (
              <Row key={`${row.fate} ${row.name}`} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      {matches.length > limit && (
        <div className="p-3 text-center">
          <Button size="sm" onClick={() => setLimit((was) => was + STEP)}>
            {t('repo.moreEntries', { count: Math.min(STEP, matches.length - limit) })}
          </Button>
        </div>
      )}
    </div>
  );
}

function Head() {
  const t = useTranslator();
  const left = `${cell} font-normal`;
  const right = `${left} text-right`;
  return (
    <thead>
      <tr className="border-y border-line text-sm text-muted">
        <th scope="col" className={left}>
          {t('repo.tensorName')}
        </th>
        <th scope="col" className={left}>
          {t('diff.fate')}
        </th>
        <th scope="col" className={left}>
          {t('repo.tensorType')}
        </th>
        <th scope="col" className={left}>
          {t('repo.tensorShape')}
        </th>
        <th scope="col" className={right}>
          {t('repo.tensorSize')}
        </th>
        <th scope="col" className={right} title={t('diff.relativeHint')}>
          <span className="font-mono text-xs">|Δ| / |a|</span>
        </th>
        <th scope="col" className={right} title={t('diff.maxHint')}>
          max |Δ|
        </th>
        <th scope="col" className={right}>
          {t('diff.cosine')}
        </th>
      </tr>
    </thead>
  );
}

const shapeOf = (facts: TensorFacts) => (facts.shape.length ? facts.shape.join(' × ') : '1');

/** One value where both sides agree, else both. */
function Both({ row: { before, after }, of }: { row: TensorRow; of: (facts: TensorFacts) => string }) {
  const [old, now] = [before && of(before), after && of(after)];
  if (old === null || now === null || old === now) return now ?? old;
  return (
    <>
      <span className="text-muted">{old} →</span> {now}
    </>
  );
}

const numberOf = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : value === 0 ? '0' : value.toPrecision(3);

function Row({ row }: { row: TensorRow }) {
  const t = useTranslator();
  const number = `${cell} tabular text-right whitespace-nowrap`;
  return (
    <tr className="border-b border-line last:border-b-0 hover:bg-hover">
      <td className={`${cell} min-w-52 break-all`}>
        {row.oldName !== null && <span className="text-muted">{row.oldName} → </span>}
        {row.name}
      </td>
      <td className={`${cell} font-sans whitespace-nowrap ${TONES[row.fate]}`}>
        {t(`diff.fates.${row.fate}`)}
      </td>
      <td className={`${cell} whitespace-nowrap`}>
        <Both row={row} of={(facts) => facts.dtype} />
      </td>
      <td className={`${cell} tabular whitespace-nowrap text-muted`}>
        <Both row={row} of={shapeOf} />
      </td>
      <td className={`${number} text-muted`}>
        <Both row={row} of={(facts) => formatSize(facts.sizeBytes)} />
      </td>
      <td className={number} title={row.delta ? t('diff.sampled', { count: row.delta.sampled }) : undefined}>
        {numberOf(row.delta?.relative)}
      </td>
      <td className={number}>{numberOf(row.delta?.maxAbs)}</td>
      <td className={number}>{row.delta?.cosine == null ? '–' : row.delta.cosine.toFixed(5)}</td>
    </tr>
  );
}
