'use client';

import { Search } from 'lucide-react';
import { Button } from '../kit/button.tsx';
import { Input, Select } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';

type SortName = 'lastModified' | 'createdAt' | 'downloads' | 'likes';

const SORT_TEXTS = {
  lastModified: 'catalog.sortUpdated',
  createdAt: 'catalog.sortCreated',
  downloads: 'catalog.sortDownloads',
  likes: 'catalog.sortLikes',
} as const;

/**
 * Name filter and order of a list: a plain GET form, so that the address is the state. The key makes the boxes
 * follow the address when it changes without a reload.
 */
export function ListFilter(props: {
  action: string;
  search: string;
  sort: SortName;
  sorts: readonly SortName[];
}) {
  const t = useTranslator();
  return (
    <search className="flex-1 max-md:w-full max-md:flex-none">
      <form
        key={`${props.search} ${props.sort}`}
        action={props.action}
        className="flex flex-wrap justify-end gap-2"
      >
        <div className="relative max-w-xs flex-1 basis-44">
          <Search className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted" />
          <Input
            name="search"
            type="search"
            defaultValue={props.search}
            maxLength={200}
            aria-label={t('catalog.filterByName')}
            placeholder={t('catalog.filterByName')}
            className="pl-9"
          />
        </div>
        <Select
          name="sort"
          defaultValue={props.sort}
          aria-label={t('catalog.sort')}
          className="w-auto"
          onChange={(event) => event.currentTarget.form?.requestSubmit()}
        >
          {props.sorts.map((sort) => (
            <option key={sort} value={sort}>
              {t(SORT_TEXTS[sort])}
            </option>
          ))}
        </Select>
        <Button type="submit" className="sr-only focus:not-sr-only">
          {t('catalog.search')}
        </Button>
      </form>
    </search>
  );
}
