'use client';

import { Columns2, Rows3 } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import type { ChangedFile, FileDiff } from '#lib/repos/diff/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { cn } from '../cn.ts';
import { Button } from '../kit/button.tsx';
import { EmptyState } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import { FileCard } from './file-card.tsx';
import { FileList } from './file-list.tsx';
import type { FileSlots, LineSlots } from './line-place.ts';
import { type DiffStyle, useDiffStyle } from './use-diff-style.ts';
import { WeightsPanels } from './weights/weights-panels.tsx';

export interface DiffViewProps extends LineSlots, FileSlots {
  readonly repo: RepoRef;
  /** `pinned` of the comparison. */
  readonly range: string;
  readonly files: readonly ChangedFile[];
  readonly isComplete: boolean;
  /** Diffs that came with the page, by path; the others are fetched when they come into view. */
  readonly loaded?: Readonly<Record<string, FileDiff>>;
}

/** Cards made at once: each is cheap until it is looked at, thousands are not. */
const STEP = 200;

const anchorOf = (index: number) => `file-${index + 1}`;

/** True where a key press is meant for the page and not for a field. */
function isForPage(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  const isField = target?.closest('input, textarea, select, [contenteditable=true]') != null;
  return !isField && !event.ctrlKey && !event.metaKey && !event.altKey;
}

/** Which file one is at, and going to another: by the list, and by the keys n and p. */
function usePlace(files: readonly ChangedFile[], reveal: (index: number) => void) {
  const [current, setCurrent] = useState<number | null>(null);
  const go = useCallback(
    (index: number) => {
      if (index < 0 || index >= files.length) return;
      setCurrent(index);
      reveal(index);
      // after the card is there, if it was not
      requestAnimationFrame(() => {
        const card = document.getElementById(anchorOf(index));
        card?.scrollIntoView({ block: 'start' });
        card?.focus({ preventScroll: true });
      });
    },
    [files.length, reveal],
  );
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!isForPage(event)) return;
      if (event.key === 'n') go((current ?? -1) + 1);
      else if (event.key === 'p') go((current ?? 1) - 1);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [go, current]);
  return { current, go };
}

/**
 * The files that differ: a list with filter, then each file's change, unified or side by side as the reader likes.
 * `renderAfterLine` and `onLineAction` let others hang something on lines.
 */
export function DiffView({ repo, range, files, isComplete, loaded = {}, ...slots }: DiffViewProps) {
  const t = useTranslator();
  const [style, setStyle] = useDiffStyle();
  const [limit, setLimit] = useState(STEP);
  const reveal = useCallback((index: number) => setLimit((was) => Math.max(was, index + 1)), []);
  const { current, go } = usePlace(files, reveal);
  if (files.length === 0) return <EmptyState title={t('diff.nothing')} text={t('diff.nothingText')} />;
  return (
    <div className="flex flex-col gap-3">
      <Toolbar files={files} isComplete={isComplete} style={style} onStyle={setStyle} />
      <WeightsPanels repo={repo} range={range} files={files} />
      <div className="grid items-start gap-4 lg:grid-cols-[17rem_minmax(0,1fr)]">
        <div className="flex max-h-[calc(100dvh-6rem)] flex-col overflow-hidden rounded-lg border border-line bg-surface max-lg:max-h-64 lg:sticky lg:top-16">
          <FileList
            files={files}
            current={current === null ? null : (files[current]?.path ?? null)}
            onChoose={(file) => go(files.indexOf(file))}
          />
        </div>
        <div className="flex min-w-0 flex-col gap-3">
          {files.slice(0, limit).map((file, index) => (
            <FileCard
              key={file.path}
              anchor={anchorOf(index)}
              initial={loaded[file.path]}
              {...{ repo, range, file, style }}
              {...slots}
            />
          ))}
          {files.length > limit && (
            <Button onClick={() => setLimit((was) => was + STEP)} className="self-center">
              {t('diff.moreFiles', { count: Math.min(STEP, files.length - limit) })}
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}

function Toolbar(props: {
  files: readonly ChangedFile[];
  isComplete: boolean;
  style: DiffStyle;
  onStyle: (style: DiffStyle) => void;
}) {
  const t = useTranslator();
  const { files, isComplete, style, onStyle } = props;
  const sum = (of: 'additions' | 'deletions') => files.reduce((total, file) => total + (file[of] ?? 0), 0);
  const choice = (id: DiffStyle, label: string, icon: React.ReactNode) => (
    <button
      type="button"
      aria-pressed={style === id}
      onClick={() => onStyle(id)}
      className={cn(
        'inline-flex h-7 items-center gap-1.5 rounded-md px-2 text-sm max-md:h-9 [&>svg]:size-4',
        style === id ? 'bg-surface font-medium shadow-xs' : 'text-muted hover:text-fg',
      )}
    >
      {icon}
      {label}
    </button>
  );
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
      <p className="flex flex-wrap items-center gap-x-2.5">
        <span className="font-medium">
          {isComplete
            ? t('diff.filesChanged', { count: files.length })
            : t('diff.manyFilesChanged', { count: files.length })}
        </span>
        {files.some((file) => file.additions !== null) && (
          <span className="tabular font-mono text-sm">
            <span className="text-ok">+{sum('additions')}</span>{' '}
            <span className="text-bad">−{sum('deletions')}</span>
          </span>
        )}
        <span className="text-sm text-muted max-md:hidden">
          <kbd>n</kbd> / <kbd>p</kbd> {t('diff.keys')}
        </span>
      </p>
      <fieldset className="flex rounded-lg border border-line bg-hover p-0.5">
        <legend className="sr-only">{t('diff.style')}</legend>
        {choice('unified', t('diff.unified'), <Rows3 />)}
        {choice('split', t('diff.split'), <Columns2 />)}
      </fieldset>
    </div>
  );
}
