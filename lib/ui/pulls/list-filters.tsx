'use client';

import { Search, X } from 'lucide-react';
import Link from 'next/link';
import { cn } from '../cn.ts';
import { Button } from '../kit/button.tsx';
import { Input, Select } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import { filterAddress, type ShownFilter } from './filter-address.ts';

/** Kind, words and order of what is listed; the address is the state. */
export function ListFilters({ action, filter }: { action: string; filter: ShownFilter }) {
  const t = useTranslator();
  const types = [
    ['all', t('pulls.all')],
    ['discussion', t('pulls.discussions')],
    ['pull_request', t('pulls.pullRequests')],
  ] as const;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <nav aria-label={t('pulls.type')} className="flex flex-wrap gap-1.5">
        {types.map(([type, label]) => (
          <Link
            key={type}
            href={filterAddress(action, { ...filter, type })}
            aria-current={filter.type === type ? 'page' : undefined}
            className={cn(
              'inline-flex h-8 items-center rounded-md border px-2.5 text-sm max-md:h-10',
              filter.type === type
                ? 'border-transparent bg-accent-soft font-medium text-accent-text'
                : 'border-line bg-surface text-muted hover:text-fg',
            )}
          >
            {label}
          </Link>
        ))}
        {filter.author && (
          <Link
            href={filterAddress(action, { ...filter, author: undefined })}
            title={t('pulls.showAllAuthors')}
            className="inline-flex h-8 items-center gap-1.5 rounded-md bg-accent-soft px-2.5 text-sm text-accent-text max-md:h-10"
          >
            {t('pulls.byAuthor', { author: filter.author })}
            <X className="size-3.5" aria-hidden="true" />
          </Link>
        )}
      </nav>
      <search className="flex-1 basis-64">
        <form key={JSON.stringify(filter)} action={action} className="flex flex-wrap justify-end gap-2">
          {filter.type !== 'all' && <input type="hidden" name="type" value={filter.type} />}
          {filter.status !== 'open' && <input type="hidden" name="status" value={filter.status} />}
          {filter.author && <input type="hidden" name="author" value={filter.author} />}
          <div className="relative flex-1 basis-40 md:max-w-xs">
            <Search className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted" />
            <Input
              name="search"
              type="search"
              defaultValue={filter.search ?? ''}
              maxLength={200}
              aria-label={t('pulls.search')}
              placeholder={t('pulls.search')}
              className="pl-9"
            />
          </div>
          <Select
            name="sort"
            defaultValue={filter.sort}
            aria-label={t('pulls.sort')}
            className="w-auto max-md:flex-1"
            onChange={(event) => event.currentTarget.form?.requestSubmit()}
          >
            <option value="recently-created">{t('pulls.sortNewest')}</option>
            <option value="recently-updated">{t('pulls.sortUpdated')}</option>
            <option value="most-discussed">{t('pulls.sortTalked')}</option>
          </Select>
          <Button type="submit" className="sr-only focus:not-sr-only">
            {t('pulls.search')}
          </Button>
        </form>
      </search>
    </div>
  );
}
