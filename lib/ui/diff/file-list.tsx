'use client';

import { Search } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import type { ChangedFile } from '#lib/repos/diff/types.ts';
import { cn } from '../cn.ts';
import { Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import { KindMark, LineCounts } from './file-marks.tsx';

/** Rows shown at once; a filter finds the rest. */
const MAX_ROWS = 500;

/** Every file that differs: how, by how many lines, and a press leads to it. */
export function FileList({
  files,
  current,
  onChoose,
}: {
  files: readonly ChangedFile[];
  current: string | null;
  onChoose: (file: ChangedFile) => void;
}) {
  const t = useTranslator();
  const [query, setQuery] = useState('');
  const wanted = useDeferredValue(query.trim().toLowerCase());
  const matches = wanted === '' ? files : files.filter((file) => file.path.toLowerCase().includes(wanted));
  return (
    <nav aria-label={t('diff.files')} className="flex min-h-0 flex-col">
      <div className="relative border-b border-line p-2">
        <Search className="pointer-events-none absolute top-1/2 left-4 size-4 -translate-y-1/2 text-muted" />
        <Input
          type="search"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          aria-label={t('diff.filterFiles')}
          placeholder={t('diff.filterFiles')}
          className="pl-8"
        />
      </div>
      <ul className="min-h-0 overflow-y-auto py-1">
        {matches.slice(0, MAX_ROWS).map((file) => (
          <li key={file.path}>
            <button
              type="button"
              onClick={() => onChoose(file)}
              aria-current={current === file.path}
              title={visibleText(file.path)}
              className={cn(
                'flex min-h-8 w-full items-center gap-2 px-3 py-1 text-left text-sm hover:bg-hover focus-visible:-outline-offset-2 max-md:min-h-11',
                current === file.path && 'bg-hover font-medium',
              )}
            >
              <KindMark kind={file.kind} />
              <Name path={visibleText(file.path)} />
              <LineCounts file={file} />
            </button>
          </li>
        ))}
        {matches.length === 0 && (
          <li className="px-3 py-4 text-center text-muted">{t('diff.noFileMatch')}</li>
        )}
      </ul>
    </nav>
  );
}

/** A path cut from its front: its end is what tells files apart. */
function Name({ path }: { path: string }) {
  const slash = path.lastIndexOf('/') + 1;
  return (
    <span className="flex min-w-0 flex-1 font-mono text-xs">
      {slash > 0 && (
        <span className="flex h-4 min-w-0 flex-wrap overflow-hidden text-muted">
          {/* where there is no room for a letter and its dots, the folder falls to a line that is not shown */}
          <span className="h-4 w-0" />
          <span className="min-w-8 flex-1 truncate">{path.slice(0, slash)}</span>
        </span>
      )}
      <span className="max-w-full shrink-0 truncate">{path.slice(slash)}</span>
    </span>
  );
}
