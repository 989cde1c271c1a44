'use client';

import { Search } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { formatSize } from '../format.ts';
import { Button } from '../kit/button.tsx';
import { Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import type { TensorRow, TensorView } from '../view-models/tensors.ts';

const STEP = 200;
const cell = 'px-2 py-1.5 first:pl-4 last:pr-4 align-top';

function FilterBox(props: {
  value: string;
  onChange: (value: string) => void;
  label: string;
  shown: number;
  total: number;
}) {
  const t = useTranslator();
  return (
    <div className="flex items-center gap-3 px-4 py-2.5">
      <div className="relative max-w-sm flex-1">
        <Search className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted" />
        <Input
          type="search"
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
          aria-label={props.label}
          placeholder={props.label}
          className="pl-9"
        />
      </div>
      <span className="tabular text-sm text-muted" aria-live="polite">
        {t('repo.tensorsShown', { shown: props.shown, total: props.total })}
      </span>
    </div>
  );
}

/** The tensors of a weights file: name, shape, type and size, filtered as one types. */
export function TensorTable({ tensors, tensorCount }: Pick<TensorView, 'tensors' | 'tensorCount'>) {
  const t = useTranslator();
  const [query, setQuery] = useState('');
  const [limit, setLimit] = useState(STEP);
  const wanted = useDeferredValue(query.trim().toLowerCase());
  const matches =
    wanted === ''
      ? tensors
      : tensors.filter((row) => row.name.toLowerCase().includes(wanted) || row.type.toLowerCase() === wanted);
  const largest = tensors.reduce((most, row) => Math.max(most, row.sizeBytes ?? 0), 1);
  return (
    <div>
      <FilterBox
        value={query}
        onChange={setQuery}
        label={t('repo.filterTensors')}
        shown={matches.length}
        total={tensorCount}
      />
      <div className="overflow-x-auto">
        <table className="w-full border-collapse text-left">
          <thead>
            <tr className="border-y border-line text-sm text-muted">
              <th scope="col" className={`${cell} font-normal`}>
                {t('repo.tensorName')}
              </th>
              <th scope="col" className={`${cell} font-normal`}>
                {t('repo.tensorShape')}
              </th>
              <th scope="col" className={`${cell} font-normal`}>
                {t('repo.tensorType')}
              </th>
              <th scope="col" className={`${cell} w-44 text-right font-normal`}>
                {t('repo.tensorSize')}
              </th>
            </tr>
          </thead>
          <tbody className="font-mono text-xs">
            {matches.slice(0, limit).map((row) => (
              <Row key={row.name} row={row} largest={largest} />
            ))}
          </tbody>
        </table>
      </div>
      {matches.length === 0 && (
        <p className="px-4 py-6 text-center text-muted">{t('repo.noTensorMatch', { query })}</p>
      )}
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

function Row({ row, largest }: { row: TensorRow; largest: number }) {
  const share = ((row.sizeBytes ?? 0) / largest) * 100;
  return (
    <tr className="border-b border-line last:border-b-0 hover:bg-hover">
      <td className={`${cell} min-w-56 break-all`}>{row.name}</td>
      <td className={`${cell} tabular whitespace-nowrap text-muted`}>
        {row.shape.length ? row.shape.join(' × ') : '1'}
      </td>
      <td className={cell}>{row.type}</td>
      <td className={`${cell} tabular text-right whitespace-nowrap text-muted`}>
        <span
          className="mr-2 inline-block h-1.5 w-16 overflow-hidden rounded-full bg-hover align-middle max-md:hidden"
          aria-hidden="true"
        >
          <span className="block h-full rounded-full bg-accent" style={{ width: `${Math.max(1, share)}%` }} />
        </span>
        <span className="inline-block min-w-16">
          {row.sizeBytes === null ? '–' : formatSize(row.sizeBytes)}
        </span>
      </td>
    </tr>
  );
}

/** Key and value pairs of a weights file's header. */
export function MetadataTable({ metadata }: Pick<TensorView, 'metadata'>) {
  const t = useTranslator();
  const [query, setQuery] = useState('');
  const wanted = query.trim().toLowerCase();
  const matches = metadata.filter(([key]) => key.toLowerCase().includes(wanted));
  return (
    <div>
      <FilterBox
        value={query}
        onChange={setQuery}
        label={t('repo.filterMetadata')}
        shown={matches.length}
        total={metadata.length}
      />
      <dl className="divide-y divide-line border-t border-line font-mono text-xs">
        {matches.map(([key, value]) => (
          <div
            key={key}
            className="grid gap-x-4 px-4 py-1.5 md:grid-cols-[minmax(14rem,22rem)_minmax(0,1fr)]"
          >
            <dt className="break-all text-muted">{key}</dt>
            <dd className="max-h-48 overflow-y-auto break-words whitespace-pre-wrap">{value}</dd>
          </div>
        ))}
      </dl>
      {matches.length === 0 && (
        <p className="px-4 py-6 text-center text-muted">{t('repo.noTensorMatch', { query })}</p>
      )}
    </div>
  );
}
